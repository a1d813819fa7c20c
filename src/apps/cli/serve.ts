/** `aft serve`: any engine over the OpenAI API, with a page. */
import { once } from 'node:events'
import { appendFile, readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { enginesOf } from '../../core/plan.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { toFileError } from '../../lib/file-error.ts'
import { MAX_TIMER_MS } from '../../plans/option-kinds.ts'
import { builtInPresets, withModel } from '../../plans/presets.ts'
import { joinLevels } from '../../plans/roles.ts'
import { makePlan, type PlanOptions } from '../../plans/strategies.ts'
import { DEFAULT_LIMITS } from '../../request/plans.ts'
import { type Keys, parseKeys } from '../server/keys.ts'
import { isLoopback, listen } from '../server/listen.ts'
import { createServer } from '../server/server.ts'
import { type AnswerFlags, addAnswerFlags, readAnswerFlags } from './flags.ts'
import { watchInterrupts } from './interrupt.ts'
import { keepMemorySmall } from './memory.ts'
import { whole } from './option-types.ts'

interface ServeFlags extends AnswerFlags {
  port: number
  host: string
  clientKeyEnv?: string[]
  clientKeyFile?: string
  withoutKey?: boolean
  maxWidth: number
  maxDepth: number
  maxOutput: number
  allowHost?: string[]
  allowOrigin?: string[]
  anyOrigin?: boolean
  fixes?: string
  showAddresses?: boolean
  maxRunning: number
  maxWaiting: number
  maxStored: number
  drainMs: number
}

const help = `
The first line of the output is the address. The page is at that address; clients
of the OpenAI API use the address followed by /v1.
The model "aft" is the plan that the flags give. The other models are aft-fast,
paper, moa, rsa and
single, and the presets of aft.config.ts.
After SIGTERM or Ctrl-C running requests may end (--drain-ms). A second Ctrl-C stops at once.

Examples:
  $ aft serve --model http://127.0.0.1:8000/v1#llama
  $ AFT_KEY=... aft serve --host 0.0.0.0 --client-key-env AFT_KEY`

/** Makes the command `aft serve`. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Serve any engine over the OpenAI and Anthropic APIs, with a page for the browser.')
    .addHelpText('after', help)
  const group = (heading: string, options: Option[]) => {
    for (const option of options) command.addOption(option.helpGroup(heading))
  }
  group('Server:', [
    whole('--port <n>', 'port to listen on; 0 takes a free one', 0, 65_535).default(8080),
    new Option('--host <address>', 'address to listen on').default('127.0.0.1'),
    new Option(
      '--allow-host <name...>',
      'host names that requests may name besides localhost, for a server on 127.0.0.1',
    ),
    new Option(
      '--fixes <file>',
      'append answers that people correct on the page to this file, as training examples',
    ),
    new Option('--show-addresses', 'show clients the addresses and paths of engines'),
    whole(
      '--drain-ms <ms>',
      'time for running requests to end when the server stops',
      0,
      MAX_TIMER_MS,
    ).default(30_000),
  ])
  group('Clients:', [
    new Option('--client-key-env <name...>', "environment variables that hold the clients' keys"),
    new Option('--client-key-file <file>', "file with the clients' keys, one NAME: KEY per line"),
    new Option('--without-key', 'serve everybody on a public address, without keys'),
    new Option('--allow-origin <origin...>', "origins whose pages may use the server; '*' is every page"),
    new Option('--any-origin', "accept '*' on a server with keys"),
  ])
  group('Limits:', [
    whole('--max-width <n>', 'largest width that a request may ask for', 0).default(DEFAULT_LIMITS.width),
    whole('--max-depth <n>', 'largest depth that a request may ask for', 0).default(DEFAULT_LIMITS.depth),
    whole('--max-output <n>', 'most tokens per completion that a request may ask for', 0).default(
      DEFAULT_LIMITS.maxTokens,
    ),
    whole('--max-running <n>', 'requests answered at once', 0).default(64),
    whole('--max-waiting <n>', 'requests that may wait; more get HTTP status 429', 0).default(256),
    whole(
      '--max-stored <mb>',
      'MB of memory for answers of /v1/responses that clients may name, and as many for drafts of tool loops',
      0,
    ).default(64),
  ])
  return addAnswerFlags(command, ['system', 'seed', 'schema']).action((flags: ServeFlags) => serve(flags))
}

async function serve(flags: ServeFlags): Promise<void> {
  keepMemorySmall()
  const setup = await readAnswerFlags(flags)
  const keys = await readKeys(flags.clientKeyEnv, flags.clientKeyFile)
  checkOpen(keys, flags)
  await checkFixes(flags.fixes)
  const signal = watchInterrupts()
  const presets = Object.fromEntries(
    Object.entries(setup.config.presets ?? {}).map(([name, preset]) => [name, withModel(preset)]),
  )
  const offered = { ...builtInPresets(setup.options), ...presets }
  const plans = Object.values(offered).map((preset) =>
    makePlan(joinLevels(setup.options, preset as PlanOptions)),
  )
  const { openEngines } = await import('../../engines/open.ts')
  const names = [setup.plan, ...plans].flatMap(enginesOf)
  const { engines, close } = await openEngines(names, { ...setup.engineFlags, signal })
  try {
    const server = createServer({
      engines,
      defaults: setup.options,
      template: setup.given,
      presets,
      limits: { width: flags.maxWidth, depth: flags.maxDepth, maxTokens: flags.maxOutput },
      keys,
      showAddresses: flags.showAddresses,
      fixes: flags.fixes,
      allowOrigin: flags.allowOrigin,
      anyOrigin: flags.anyOrigin,
      maxRunning: flags.maxRunning,
      maxWaiting: flags.maxWaiting,
      maxStoredBytes: flags.maxStored * 2 ** 20,
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

/** Refuses an open server on a public address. It also warns about `--api-key-env`, which once meant the clients' keys. */
function checkOpen(keys: Keys, { host, withoutKey, apiKeyEnv }: ServeFlags): void {
  if (Object.keys(keys).length > 0 || withoutKey) return
  const hint = '--api-key-env is the key that this server sends to the model; --client-key-env is for clients'
  if (!isLoopback(host)) {
    const problem = `others can reach ${host}: give --client-key-env or --client-key-file, or --without-key to serve everybody`
    throw new UsageError(apiKeyEnv === undefined ? problem : `${problem}. ${hint}`)
  }
  if (apiKeyEnv !== undefined) console.error(`clients need no key: ${hint}`)
}

/** Creates the file if it does not exist, so that a file that cannot be written is an error at the start. */
async function checkFixes(file: string | undefined): Promise<void> {
  if (file === undefined) return
  await appendFile(file, '').catch((error: Error) => {
    throw new UsageError(`--fixes ${(toFileError(file, error) as Error).message}`)
  })
}

/** Reads the clients' keys by name. @throws UsageError for a variable that is not set, or a file that cannot be read */
async function readKeys(variables: string[] = [], file?: string): Promise<Keys> {
  const keys: Keys = {}
  for (const name of variables) {
    const key = process.env[name]?.trim()
    if (!key)
      throw new UsageError(
        `--client-key-env: the environment variable ${name} should hold a key, but is not set`,
      )
    keys[name] = key
  }
  if (file === undefined) return keys
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`--client-key-file ${(toFileError(file, error) as Error).message}`)
  })
  return { ...keys, ...parseKeys(text, file) }
}
