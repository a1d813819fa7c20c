/** `aft doctor`: what this machine has and lacks, a line each. What is optional is never wrong. */
import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import path from 'node:path'
import { styleText } from 'node:util'
import { Command } from 'commander'
import { UsageError } from '../../core/provider/errors.ts'
import { listModels } from '../../engines/models/models.ts'
import { type Found, findHere } from '../../engines/named/found.ts'
import { isBeside } from '../../files/optional-packages.ts'
import { findCacheFolder } from '../../lib/cache-folder.ts'
import { findEnvironment, isComplete } from '../../train/environment.ts'
import { gigabytes } from '../../train/plan.ts'
import { planRun } from '../../train/plan-run.ts'
import { inspectPython, judgePython } from '../../train/python-facts.ts'
import { readRecipe } from '../../train/recipe-file.ts'
import { describeFound, linesToUse } from './found-here.ts'
import { watchInterrupts } from './interrupt.ts'
import { sanitize } from './render/sanitize.ts'

interface Finding {
  about: string
  /** What is there. */
  state?: string
  /** What is not there and need not be, and how to get it. */
  absent?: string
  /** What is wrong, and what to do. */
  problems?: string[]
}

const help = `
Prints one line per check: ok, or wrong with what to do. The exit code is 1 if something is missing.

Example:
  $ aft doctor`

/** Makes the command `aft doctor`. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Say what this machine has and what is missing to run and to train models.')
    .option('--python <path>', 'Python to train with, instead of the one that `aft train setup` makes')
    .option('--recipe <file>', 'also check that memory and disk are enough for this training')
    .option('-d, --data <folder>', 'folder that `aft data build` made (default: `data` of the recipe)')
    .addHelpText('after', help)
    .action(async ({ python, recipe, data }: { python?: string; recipe?: string; data?: string }) => {
      if (data !== undefined && recipe === undefined) throw new UsageError('--data is for --recipe')
      const found = await findHere()
      const checks = [
        checkMachine,
        () => checkEngine(found),
        checkModel,
        ...found.map((one) => () => ({ about: one.name, state: useOf(one) })),
        () => checkTrainer(python),
        checkConverter,
        ...(recipe === undefined ? [] : [() => checkTraining(recipe, data, python)]),
      ]
      for (const check of checks) if (!show(await check())) process.exitCode = 1
    })
}

/** Prints a finding. Returns whether nothing is wrong. */
function show({ about, state, absent, problems = [] }: Finding): boolean {
  if (state && problems.length === 0) console.log(`${styleText('green', 'ok')}    ${about}: ${state}`)
  if (absent) console.log(`${styleText('dim', 'none')}  ${about}: ${absent}`)
  for (const line of problems) console.log(`${styleText('red', 'wrong')} ${about}: ${line}`)
  return problems.length === 0
}

function useOf(found: Found): string {
  return `${describeFound(found)}: ${linesToUse(found).join(' && ')}`
}

const GB = 1e9

function checkMachine(): Finding {
  let folder = findCacheFolder()
  while (!existsSync(folder)) folder = path.dirname(folder)
  const { bavail, bsize } = statfsSync(folder)
  const free = (bavail * bsize) / GB
  const state = `${availableParallelism()} cores, ${(totalmem() / GB).toFixed(0)} GB of memory, ${free.toFixed(0)} GB free in ${folder}`
  const isFull = free < 3 && !isComplete(findEnvironment().folder)
  return {
    about: 'machine',
    state: isFull ? `${state}; to set up training takes 3 GB` : state,
  }
}

/** Only a machine that can ask no model at all has a problem. */
async function checkEngine(found: Found[]): Promise<Finding> {
  const about = 'node-llama-cpp'
  const hint = 'models in this process need it: npm install node-llama-cpp'
  if (!isBeside('node-llama-cpp')) {
    if (found.length > 0) return { about, absent: `not installed; ${hint}` }
    return { about, problems: [`not installed, no server answers and no key is set; ${hint}`] }
  }
  const problem = await import('node-llama-cpp').then(
    () => undefined,
    (error: Error) => error.message.split('\n')[0],
  )
  return { about, state: 'found', problems: problem ? [`${problem}; ${hint}`] : [] }
}

async function checkModel(): Promise<Finding> {
  const [model] = await listModels()
  if (model?.isCached) return { about: 'smollm2', state: model.path }
  return { about: 'smollm2', absent: 'not here yet: aft models pull smollm2 (98 MB; `aft ask` does it too)' }
}

async function checkTrainer(own: string | undefined): Promise<Finding> {
  const { folder, python } = findEnvironment()
  const about = 'trainer'
  if (own === undefined && !isComplete(folder))
    return { about, absent: 'not installed; only training needs it: aft train setup' }
  try {
    const facts = await inspectPython(own ?? python, { imports: true })
    const { problems, notes } = judgePython(facts)
    const devices = facts.devices?.length ? facts.devices.join(', ') : 'no GPU: training runs on the CPU'
    return { about, state: [own ?? python, `Python ${facts.python}`, devices, ...notes].join('; '), problems }
  } catch (error) {
    return { about, problems: [(error as Error).message] }
  }
}

/** Whether this machine has the memory and the disk for a training. */
async function checkTraining(file: string, folder?: string, own?: string): Promise<Finding> {
  const about = 'training'
  const recipe = readRecipe(file)
  const data = folder ?? recipe.data
  if (data === undefined) return { about, problems: ['expected --data, a folder that `aft data build` made'] }
  const environment = findEnvironment()
  if (own === undefined && !isComplete(environment.folder))
    return { about, problems: ['the trainer counts the tokens: aft train setup'] }
  try {
    const python = own ?? environment.python
    const signal = watchInterrupts()
    const { findGguf } = await import('./train/run.ts')
    const onLine = (line: string) => console.error(sanitize(line))
    const options = { recipe, data, output: '.', python, signal, findGguf, onLine }
    const { memory, hostMemory, disk, problems } = await planRun(options)
    const state = `${gigabytes(memory.total)} of memory per process, ${gigabytes(hostMemory)} of this machine's, ${gigabytes(disk.total)} of disk`
    return { about, state, problems }
  } catch (error) {
    return { about, problems: [(error as Error).message] }
  }
}

function checkConverter(): Finding {
  const { converter } = findEnvironment()
  const about = 'GGUF converters'
  if (isComplete(converter)) return { about, state: converter }
  return { about, absent: 'not installed; only the export of trained models needs them: aft train setup' }
}
