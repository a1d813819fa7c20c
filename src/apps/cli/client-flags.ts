/** What the flags of `aft serve` say of its clients: their keys, and what each may take. */
import { Option } from 'commander'
import { UsageError } from '../../core/provider/errors.ts'
import { readText } from '../../files/read-text.ts'
import { type KeyFile, parseKeys } from '../server/keys.ts'
import type { ClientLimits } from '../server/limits.ts'
import { amount, whole } from './option-types.ts'

/** The flags. */
export interface ClientFlags {
  clientKeyEnv?: string[]
  clientKeyFile?: string
  maxRequestsPerMinute?: number
  maxTokensPerMinute?: number
  maxTokensPerDay?: number
  maxCostPerDay?: number
  maxRunningPerClient?: number
  usageStore?: string
}

/** The flags of keys. */
export function clientKeyFlags(): Option[] {
  return [
    new Option('--client-key-env <name...>', "environment variables that hold the clients' keys"),
    new Option('--client-key-file <file>', "file with the clients' keys, one NAME: KEY per line"),
  ]
}

/** The flags of limits. A client is a key. Without keys it is an address. */
export function clientLimitFlags(): Option[] {
  return [
    whole('--max-requests-per-minute <n>', 'requests in any 60 seconds', 1),
    whole('--max-tokens-per-minute <n>', 'tokens read and written in any 60 seconds', 1),
    whole('--max-tokens-per-day <n>', 'tokens read and written since midnight UTC', 1),
    amount(
      '--max-cost-per-day <dollars>',
      'US dollars since midnight UTC; needs the prices of models in the config',
    ),
    whole('--max-running-per-client <n>', 'requests that run or wait at once', 1),
    new Option(
      '--usage-store <place>',
      'keep what clients used, so that it counts after a restart too: a file, or the address of a Redis or Valkey, where several servers count together',
    ),
  ]
}

/** Reads the clients' keys by name. @throws UsageError for a variable that is not set, a file that cannot be read, or a short key */
export async function readKeys({ clientKeyEnv = [], clientKeyFile }: ClientFlags): Promise<KeyFile> {
  const keys: KeyFile['keys'] = {}
  for (const name of clientKeyEnv) {
    const key = process.env[name]?.trim()
    if (!key)
      throw new UsageError(
        `--client-key-env: the environment variable ${name} should hold a key, but is not set`,
      )
    keys[name] = key
  }
  const found = clientKeyFile === undefined ? undefined : parseKeys(readText(clientKeyFile), clientKeyFile)
  const all = { ...keys, ...found?.keys }
  checkLengths(all)
  return { keys: all, limits: found?.limits ?? {} }
}

/** A short key is easy to guess, and it cannot be hidden in messages: it may be a part of ordinary words. */
function checkLengths(keys: KeyFile['keys']): void {
  const short = Object.keys(keys).find((name) => (keys[name] ?? '').length < MIN_KEY_CHARS)
  if (short === undefined) return
  throw new UsageError(`the client's key ${short}: expected at least ${MIN_KEY_CHARS} characters`)
}

const MIN_KEY_CHARS = 8

/** The limits of every client. */
export function limitsOfClients(flags: ClientFlags): ClientLimits {
  const limits: ClientLimits = {
    requestsPerMinute: flags.maxRequestsPerMinute,
    tokensPerMinute: flags.maxTokensPerMinute,
    tokensPerDay: flags.maxTokensPerDay,
    costPerDay: flags.maxCostPerDay,
    running: flags.maxRunningPerClient,
  }
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
}

/** A limit per day that begins again at each restart is none. */
export function checkUsageStore(place: string | undefined, all: ClientLimits[]): void {
  const isNeeded = all.some((limits) => limits.tokensPerDay !== undefined || limits.costPerDay !== undefined)
  if (place !== undefined || !isNeeded) return
  console.error('limits per day begin again when the server is restarted: --usage-store FILE keeps them')
}
