/** `aft serve`: any engine, behind an OpenAI-compatible server. */
import { once } from 'node:events'
import { appendFile, readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { enginesOf } from '../../core/plan.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { makePlan } from '../../core/strategies.ts'
import { DEFAULT_LIMITS, defaultPresets } from '../../request/plans.ts'
import { type Keys, parseKeys } from '../server/keys.ts'
import { isLoopback, listen } from '../server/listen.ts'
import { createServer } from '../server/server.ts'
import { type AnswerFlags, addAnswerFlags, readAnswerFlags } from './flags.ts'
import { watchInterrupts } from './interrupt.ts'
import { keepMemorySmall } from './memory.ts'
import { whole } from './option-types.ts'
import { readPresets } from './serve-presets.ts'

interface ServeFlags extends Omit<AnswerFlags, 'apiKeyEnv'> {
  port: number
  host: string
  apiKeyEnv?: string[]
  apiKeyFile?: string
  withoutKey?: boolean
  maxWidth: number
  maxDepth: number
  maxOutput: number
  allowHost?: string[]
  fixes?: string
  showAddresses?: boolean
  timeoutMs?: number
  maxRunning: number
  maxWaiting: number
  drainMs: number
}

const help = `
The page is at the address itself; programs use it with /v1 behind it.
The flags of the plan are what the model "aft" means; the others are aft-fast,
moa, rsa and single, and the presets of aft.config.ts. The first line of the output is the address. SIGTERM and
Ctrl-C let the requests under way end first; a second one does not.

Examples:
  $ aft serve --model http://127.0.0.1:8000/v1#llama
  $ AFT_KEY=... aft serve --host 0.0.0.0 --api-key-env AFT_KEY`

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Answer over HTTP, as OpenAI does.')
    .addHelpText('after', help)
  const group = (heading: string, options: Option[]) => {
    for (const option of options) command.addOption(option.helpGroup(heading))
  }
  group('Server:', [
    whole('--port <n>', '0 takes a free one', 0).default(8080),
    new Option('--host <address>', 'address to listen on').default('127.0.0.1'),
    new Option('--api-key-env <name...>', "environment variables that hold the clients' keys"),
    new Option('--api-key-file <file>', 'keys, a line each: NAME: KEY'),
    new Option('--without-key', 'answer anybody, on a public address too'),
    whole('--max-width <n>', 'most that a request may ask for', 0).default(DEFAULT_LIMITS.width),
    whole('--max-depth <n>', 'most that a request may ask for', 0).default(DEFAULT_LIMITS.depth),
    whole('--max-output <n>', 'most tokens of a completion that a request may ask for', 0).default(
      DEFAULT_LIMITS.maxTokens,
    ),
    whole('--max-running <n>', 'requests answered at once', 0).default(64),
    whole('--max-waiting <n>', 'requests that wait; more are a 429', 0).default(256),
    new Option('--allow-host <name...>', 'on loopback: other names that it may be called by'),
    new Option('--fixes <file>', 'where answers mended on the page go, as training examples'),
    new Option('--show-addresses', "tell clients the engines' addresses and paths"),
    whole('--timeout-ms <ms>', 'how long an upstream server may say nothing (default: 120000)', 0),
    whole('--drain-ms <ms>', 'how long requests under way may take at the end', 0).default(30_000),
  ])
  return addAnswerFlags(command, ['apiKeyEnv', 'system']).action((flags: ServeFlags) => serve(flags))
}

async function serve(flags: ServeFlags): Promise<void> {
  keepMemorySmall()
  const { apiKeyEnv, apiKeyFile, ...answerFlags } = flags
  const setup = await readAnswerFlags(answerFlags)
  const keys = await readKeys(apiKeyEnv, apiKeyFile)
  if (!isLoopback(flags.host) && Object.keys(keys).length === 0 && !flags.withoutKey) {
    throw new UsageError(
      `${flags.host} can be reached by others: give --api-key-env or --api-key-file, or --without-key if that is meant`,
    )
  }
  await checkFixes(flags.fixes)
  const signal = watchInterrupts()
  const presets = readPresets(setup.config.presets)
  const offered = { ...defaultPresets(setup.options), ...presets }
  const plans = Object.values(offered).map((preset) => makePlan({ ...setup.options, ...preset }))
  const { openEngines } = await import('../../engines/open.ts')
  const names = [setup.plan, ...plans].flatMap(enginesOf)
  const { timeoutMs } = flags
  const { engines, close } = await openEngines(names, { ...setup.engineFlags, timeoutMs, signal })
  try {
    const server = createServer({
      engines,
      defaults: setup.options,
      template: setup.template,
      presets,
      limits: { width: flags.maxWidth, depth: flags.maxDepth, maxTokens: flags.maxOutput },
      keys,
      showAddresses: flags.showAddresses,
      fixes: flags.fixes,
      maxRunning: flags.maxRunning,
      maxWaiting: flags.maxWaiting,
      log: (line) => console.error(line),
    })
    const listening = await listen(server, flags)
    console.log(listening.url)
    if (!signal.aborted) await once(signal, 'abort')
    await listening.close(flags.drainMs)
  } finally {
    await close()
  }
}

/** Makes the file where there is none, so that what cannot be written is told at the start. */
async function checkFixes(file: string | undefined): Promise<void> {
  if (file === undefined) return
  await appendFile(file, '').catch((error: Error) => {
    throw new UsageError(`--fixes: ${error.message}`)
  })
}

/** @throws UsageError for a variable that is not set, or a file that cannot be read */
async function readKeys(variables: string[] = [], file?: string): Promise<Keys> {
  const keys: Keys = {}
  for (const name of variables) {
    const key = process.env[name]?.trim()
    if (!key) throw new UsageError(`the environment variable ${name} should hold a key, but is not set`)
    keys[name] = key
  }
  if (file === undefined) return keys
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`cannot read the keys: ${error.message}`)
  })
  return { ...keys, ...parseKeys(text, file) }
}
