/** What this machine has to ask: servers that answer, and keys that are set. Nothing secret is read or sent. */
import { isInstalled } from '../../files/optional-packages.ts'
import { addressOf, firstOf, type NamedServer, namedServers, type Provider, providers } from './table.ts'

/** A server that answers, or a provider whose key is set, and how to ask it. */
export interface Found {
  /** The part of a name before the colon. */
  name: string
  about: string
  /** Of a server. */
  address?: string
  /** Names that can be asked for, if the server lists them. */
  models?: string[]
  /** The variables that are set. */
  keys?: string[]
  /** What `--model` takes. */
  model: string
  /** A command to run before. */
  install?: string
}

/** Where to look, and how long to wait for a server. */
export interface FindOptions {
  env?: NodeJS.ProcessEnv
  timeoutMs?: number
}

/** Asks the usual addresses for their models, all at once, and looks which keys are set. */
export async function findHere({ env = process.env, timeoutMs = 1500 }: FindOptions = {}): Promise<Found[]> {
  const servers = Object.entries(namedServers).filter(([, server]) => !server.needsKey)
  const answers = await Promise.all(
    servers.map(([name, server]) => askServer(name, server, addressOf(server, env), timeoutMs)),
  )
  return [...answers.filter((found) => found !== undefined), ...findKeys(env)]
}

/** The servers and providers whose key is set. */
function findKeys(env: NodeJS.ProcessEnv): Found[] {
  const found: Found[] = []
  if (firstOf(['OPENAI_API_KEY'], env))
    found.push({ name: 'openai', about: 'OpenAI', keys: ['OPENAI_API_KEY'], model: 'openai:gpt-5-mini' })
  for (const [name, { about, keyIn = [], needsKey, example }] of Object.entries(namedServers)) {
    const keys = keyIn.filter((variable) => env[variable]?.trim())
    if (needsKey && keys.length > 0) found.push({ name, about, keys, model: `${name}:${example}` })
  }
  for (const [name, provider] of Object.entries(providers)) {
    const keys = keysOf(provider, env)
    if (!keys) continue
    const install = isInstalled(provider.package) ? undefined : `npm install ${provider.package}`
    found.push({
      name,
      about: provider.about,
      keys,
      model: `${name}:${provider.example}`,
      ...(install && { install }),
    })
  }
  return found
}

/** The variables of the first set that is complete. */
function keysOf({ needs }: Provider, env: NodeJS.ProcessEnv): string[] | undefined {
  for (const needed of needs) {
    const names = Object.values(needed).map((variables) => variables.find((name) => env[name]?.trim()))
    if (names.every((name) => name !== undefined)) return names
  }
  return undefined
}

async function askServer(
  name: string,
  { about, example }: NamedServer,
  address: string,
  timeoutMs: number,
): Promise<Found | undefined> {
  try {
    const response = await fetch(`${address}/models`, { signal: AbortSignal.timeout(timeoutMs) })
    if (response.status === 401 || response.status === 403)
      return { name, about, address, model: `${name}:${example}` }
    const models = response.ok ? readModels(await response.json()) : undefined
    return models && { name, about, address, models, model: `${name}:${models[0] ?? example}` }
  } catch {
    return undefined
  }
}

interface ListedModel {
  id?: unknown
  owned_by?: unknown
}

/** The ids in OpenAI's list of models; undefined for another program's page, and for `aft serve`. */
function readModels(body: unknown): string[] | undefined {
  const { data } = (body ?? {}) as { data?: (ListedModel | null)[] | null }
  if (data === null) return [] // Ollama without a model
  if (!Array.isArray(data) || data.some((entry) => entry?.owned_by === 'aft')) return undefined
  return data.map((entry) => entry?.id).filter((id) => typeof id === 'string')
}
