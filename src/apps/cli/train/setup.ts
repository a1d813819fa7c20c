/** `aft train setup`: installs the Python environment that trains. */
import { Command } from 'commander'
import { redact, UsageError } from '../../../core/provider/errors.ts'
import { findEnvironment, installTrackers, isComplete, setUpEnvironment } from '../../../train/environment.ts'
import { inspectPython, judgePython } from '../../../train/python-facts.ts'
import { watchInterrupts } from '../interrupt.ts'

/** Makes the command `aft train setup`. */
export function setupCommand(): Command {
  return new Command('setup')
    .description('Install what training needs: PyTorch, TRL and the converters (about 1.6 GB without CUDA).')
    .option('--python <path>', 'check your own Python instead, and install only the GGUF converters')
    .option('--trackers', 'also install TensorBoard and trackio, for `report_to` of a recipe')
    .addHelpText('after', '\nExample:\n  $ aft train setup')
    .action(setUp)
}

async function setUp({ python: own, trackers }: { python?: string; trackers?: boolean }): Promise<void> {
  if (own !== undefined && trackers)
    throw new UsageError(
      `--trackers is for our own environment; yours: ${own} -m pip install tensorboard trackio`,
    )
  const python = await ensureEnvironment(own, { imports: true })
  const onLine = (line: string) => console.error(`  ${redact(line)}`)
  if (trackers) await installTrackers(python, { signal: watchInterrupts(), onLine })
  console.error(`ready: ${python}`)
}

/**
 * Returns the Python to train with. It installs missing parts and says so.
 * @throws UsageError that lists what is wrong with it, one line each
 */
export async function ensureEnvironment(own: string | undefined, { imports = false } = {}): Promise<string> {
  const { folder, python, converter } = findEnvironment()
  if (own !== undefined) await inspectPython(own)
  const isMissing = own === undefined && !isComplete(folder)
  if (isMissing) console.error(`installing PyTorch and TRL into ${folder}: about 1.6 GB, once`)
  else if (!isComplete(converter))
    console.error(`installing the GGUF converters into ${converter}: 36 MB, once`)
  const signal = watchInterrupts()
  await setUpEnvironment({ signal, onLine: (line) => console.error(`  ${redact(line)}`) }, own)
  const facts = await inspectPython(own ?? python, { imports: imports || isMissing })
  const { problems, notes } = judgePython(facts)
  for (const note of notes) console.error(`note: ${note}`)
  if (problems.length === 0) return own ?? python
  const advice =
    own === undefined
      ? `Remove ${folder}, then: aft train setup`
      : 'Install them there, or leave --python out'
  throw new UsageError(
    [`${own ?? python} cannot train:`, ...problems.map((p) => `  ${p}`), advice].join('\n'),
  )
}
