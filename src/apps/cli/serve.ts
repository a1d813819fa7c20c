/** `aft serve`: any engine over the OpenAI API, with a page. */
import { once } from 'node:events'
import { appendFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { countCompletions, enginesOf, type Plan } from '../../core/plan.ts'
import { redact, UsageError } from '../../core/provider/errors.ts'
import { toFileError } from '../../lib/file-error.ts'
import { checkReplaceable } from '../../lib/write-whole.ts'
import { MAX_TIMER_MS } from '../../plans/option-kinds.ts'
import { builtInPresets, withModel } from '../../plans/presets.ts'
import { joinLevels } from '../../plans/roles.ts'
import { makePlan, type PlanOptions } from '../../plans/strategies.ts'
import { DEFAULT_LIMITS } from '../../request/plans.ts'
import type { Keys } from '../server/keys.ts'
import { isLoopback, listen } from '../server/listen.ts'
import { connectUsage, isRedisAddress } from '../server/redis-counts.ts'
import { createServer } from '../server/server.ts'
import {
  type ClientFlags,
  checkUsageStore,
  clientKeyFlags,
  clientLimitFlags,
  limitsOfClients,
  readKeys,
} from './client-flags.ts'
import { type AnswerFlags, addAnswerFlags, readAnswerFlags } from './flags.ts'
import { watchInterrupts } from './interrupt.ts'
import { keepMemorySmall } from './memory.ts'
import { whole } from './option-types.ts'
import { pricesOf } from './prices.ts'
import { createPullProgress } from './progress.ts'
import { sanitize } from './render/sanitize.ts'

interface ServeFlags extends AnswerFlags, ClientFlags {
  port: number
  host: string
  withoutKey?: boolean
  maxWidth: number
  maxDepth: number
  maxOutput: number
  allowHost?: string[]
  allowOrigin?: string[]
  anyOrigin?: boolean
  fixes?: string
  ratings?: string
  showQueue?: string
  showRun?: string[]
  showAddresses?: boolean
  maxRunning: number
  maxWaiting: number
  maxStored: number
  drainMs: number
}

const help = `
The output is one line, the address. Standard error says where the page is, the
base URL for clients, the names of models, and how to stop.
The model "aft" is the plan that the flags give. The other models are aft-fast,
paper, moa, rsa and
single, and the presets of aft.config.ts.
After SIGTERM or Ctrl-C it waits for running requests (--drain-ms). A second Ctrl-C stops at once.

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
    new Option('--ratings <file>', 'append what people say of answers on the page to this file'),
    new Option(
      '--show-queue <address>',
      'show on the page, to every client, how far the runs of this queue are (see `aft status`)',
    ),
    new Option(
      '--show-run <file...>',
      'show on the page, to every client, these journals of `aft run`, and follow them while they are written',
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
    ...clientKeyFlags(),
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
  group('Limits of each client:', clientLimitFlags())
  return addAnswerFlags(command, ['system', 'seed', 'schema']).action((flags: ServeFlags) => serve(flags))
}

async function serve(flags: ServeFlags): Promise<void> {
  keepMemorySmall()
  const setup = await readAnswerFlags(flags)
  const { keys, limits: keyLimits } = await readKeys(flags)
  checkOpen(keys, flags)
  const clientLimits = limitsOfClients(flags)
  checkUsageStore(flags.usageStore, [clientLimits, ...Object.values(keyLimits)])
  await checkKept('--fixes', flags.fixes)
  await checkKept('--ratings', flags.ratings)
  for (const file of flags.showRun ?? []) checkReplaceable(file) // to open a pipe would wait
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
  const pull = createPullProgress(process.stderr)
  const open = { ...setup.engineFlags, signal, onProgress: pull.update }
  const shared = await openShared(flags)
  const { engines, close } = await openEngines(names, open).finally(pull.close).catch(shared.closeAfter)
  try {
    const server = createServer({
      engines,
      defaults: setup.options,
      template: setup.given,
      presets,
      limits: { width: flags.maxWidth, depth: flags.maxDepth, maxTokens: flags.maxOutput },
      keys,
      clientLimits,
      keyLimits,
      usageStore: shared.usageStore,
      prices: pricesOf(Object.keys(engines), setup.config),
      showAddresses: flags.showAddresses,
      fixes: flags.fixes,
      ratings: flags.ratings,
      readQueue: shared.readQueue,
      runs: flags.showRun,
      allowOrigin: flags.allowOrigin,
      anyOrigin: flags.anyOrigin,
      maxRunning: flags.maxRunning,
      maxWaiting: flags.maxWaiting,
      maxStoredBytes: flags.maxStored * 2 ** 20,
      log: (line) => console.error(sanitize(line)),
    })
    const listening = await listen(server, flags)
    console.log(listening.url)
    console.error(describeServer(listening.url, setup.plan, [...new Set(['aft', ...Object.keys(offered)])]))
    if (!signal.aborted) await once(signal, 'abort')
    console.error(`stopping: running requests may end within ${flags.drainMs / 1000} s; Ctrl-C stops at once`)
    await listening.close(flags.drainMs)
  } finally {
    await shared.close()
    await close()
  }
}

/** Opens the Redis that counts, and the queue that the page shows. */
async function openShared({ usageStore, showQueue }: ServeFlags) {
  const log = (line: string) => console.error(sanitize(line))
  const isShared = usageStore !== undefined && isRedisAddress(usageStore)
  const counts = isShared ? await connectUsage(usageStore, { log }) : undefined
  let board: Awaited<ReturnType<typeof openBoard>>
  const close = async () => {
    board?.close()
    await counts?.close()
  }
  /** An open connection would keep the process alive. */
  const closeAfter = async (error: unknown): Promise<never> => {
    await close()
    throw error
  }
  board = await openBoard(showQueue).catch(closeAfter)
  return { readQueue: board?.read, usageStore: counts ?? usageStore, close, closeAfter }
}

async function openBoard(address: string | undefined) {
  if (address === undefined) return undefined
  return (await import('../../run/queue/status.ts')).openQueueBoard(address)
}

/** Says where what is, for a person. */
function describeServer(url: string, plan: Plan, models: string[]): string {
  const engines = sanitize(redact(enginesOf(plan).join(', ')))
  return [
    `  page      ${url}`,
    `  base URL  ${url}/v1 (OpenAI), ${url} (Anthropic)`,
    `  models    ${models.join(', ')}`,
    `  aft       ${plan.strategy}, ${countCompletions(plan)} completions, with ${engines}`,
    '  stop      Ctrl-C',
  ].join('\n')
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
async function checkKept(flag: string, file: string | undefined): Promise<void> {
  if (file === undefined) return
  checkReplaceable(file)
  if (/\.(gz|zst)$/.test(file)) throw new UsageError(`${flag} ${file}: lines are not packed; expected .jsonl`)
  await appendFile(file, '').catch((error: Error) => {
    throw new UsageError(`${flag} ${(toFileError(file, error) as Error).message}`)
  })
}
