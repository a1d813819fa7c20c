/** `aft eval harness`: runs the tasks of lm_eval against this project's own server. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { enginesOf } from '../../../core/plan.ts'
import { redact, UsageError } from '../../../core/provider/errors.ts'
import { HARNESS } from '../../../eval/ifeval.ts'
import { makeFolder } from '../../../lib/make-folder.ts'
import { preparePython, runProgram } from '../../../lib/python-environment.ts'
import { builtInPresets } from '../../../plans/presets.ts'
import { makePlan } from '../../../plans/strategies.ts'
import { listen } from '../../server/listen.ts'
import { createServer } from '../../server/server.ts'
import { type AnswerFlags, addAnswerFlags, readAnswerFlags } from '../flags.ts'
import { watchInterrupts } from '../interrupt.ts'
import { whole } from '../option-types.ts'

interface HarnessFlags extends AnswerFlags {
  tasks: string
  output: string
  includePath?: string
  limit?: number
  requests: number
  offline?: boolean
}

const help = `
The harness is installed on first use, in an environment of its own (${HARNESS.join(' ')}). Tasks of the model hub need
the network. Task files of your own run with --include-path and --offline.

Example:
  $ aft eval harness --tasks gsm8k --model http://127.0.0.1:8000/v1#llama --width 5 --depth 1 -o results`

/** Makes the command `aft eval harness`. */
export function harnessCommand(): Command {
  const command = new Command('harness')
    .requiredOption('--tasks <names>', 'names of tasks, separated by commas')
    .requiredOption('-o, --output <folder>', 'folder for the results')
    .option('--include-path <folder>', 'folder with task files of your own')
    .addOption(whole('--limit <n>', 'use only this many documents of each task, the first ones', 1))
    .addOption(whole('--requests <n>', 'most documents at a time', 1).default(3))
    .option('--offline', 'download nothing from the model hub')
    .addHelpText('after', help)
  return addAnswerFlags(command, ['system', 'panel', 'schema']).action(harness)
}

async function harness(flags: HarnessFlags): Promise<void> {
  const { includePath } = flags
  if (includePath !== undefined && !existsSync(includePath))
    throw new UsageError(`--include-path ${includePath}: there is no such folder`)
  const setup = await readAnswerFlags(flags)
  const signal = watchInterrupts()
  const say = (text: string) => void process.stderr.write(redact(text))
  const python = await preparePython({ packages: HARNESS, signal, onLine: (line) => say(`${line}\n`) }).catch(
    (cause) => {
      throw new UsageError(`the harness cannot be installed: ${cause.message}`, { cause })
    },
  )
  const plans = Object.values(builtInPresets(setup.options)).map((p) => makePlan({ ...setup.options, ...p }))
  const { openEngines } = await import('../../../engines/open.ts')
  const names = [setup.plan, ...plans].flatMap(enginesOf)
  const { engines, close } = await openEngines(names, { ...setup.engineFlags, signal })
  try {
    const { options: defaults, given: template } = setup
    const server = createServer({ engines, defaults, template, log: () => {} })
    const listening = await listen(server, { host: '127.0.0.1', port: 0 })
    try {
      makeFolder(flags.output)
      const output = await runProgram([python, '-m', 'lm_eval', ...argumentsOf(flags, listening.url)], {
        signal,
        onText: say,
        env: {
          OPENAI_API_KEY: 'none',
          ...(flags.offline && { HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1' }),
        },
      }).catch((cause) => {
        signal.throwIfAborted()
        throw new UsageError(`lm_eval failed: ${cause.message}`, { cause })
      })
      console.log(output.slice(Math.max(0, output.indexOf('|'))).trim())
    } finally {
      await listening.close(0)
    }
  } finally {
    await close()
  }
}

function argumentsOf({ tasks, output, includePath, limit, requests }: HarnessFlags, url: string): string[] {
  const base = `base_url=${url.replace(/\/$/, '').replace(/\/v1$/, '')}/v1/chat/completions`
  const model = `model=aft,${base},num_concurrent=${requests},max_retries=2,tokenized_requests=False`
  return [
    'run',
    '--model',
    'local-chat-completions',
    '--model_args',
    model,
    '--tasks',
    tasks,
    '--apply_chat_template',
    '--output_path',
    path.resolve(output),
    '--log_samples',
    ...(includePath ? ['--include_path', includePath] : []),
    ...(limit ? ['--limit', String(limit)] : []),
  ]
}
