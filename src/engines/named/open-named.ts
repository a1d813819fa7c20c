/** Opens a model of the table of names: a provider's by its package of the AI SDK, a server's by its address. */
import type { Engine } from '../../core/provider/engine.ts'
import { keepSecret, UsageError } from '../../core/provider/errors.ts'
import { importPackage, isInstalled } from '../../files/optional-packages.ts'
import type { AiSdkModel } from '../ai-sdk/ai-sdk.ts'
import type { OpenOptions } from '../open-options.ts'
import { addressOf, firstOf, namedServers, type Provider, providers, type Variables } from './table.ts'

/** Whether a name's part before the colon is in the table. */
export function isNamed(scheme: string): boolean {
  return Object.hasOwn(providers, scheme) || isServer(scheme)
}

/** Whether such a name means a server, and not a provider. */
export function isServer(scheme: string): boolean {
  return Object.hasOwn(namedServers, scheme)
}

/**
 * Opens `SCHEME:MODEL`.
 * @throws UsageError for a package that is not installed or a variable that is not set, with what to do
 */
export async function openNamed(name: string, model: string, options: OpenOptions): Promise<Engine> {
  const scheme = name.slice(0, name.indexOf(':'))
  const provider = Object.hasOwn(providers, scheme) ? providers[scheme] : undefined
  return provider ? openProvider(name, model, provider, options) : openNamedServer(scheme, model, options)
}

async function openNamedServer(scheme: string, model: string, options: OpenOptions): Promise<Engine> {
  const server = namedServers[scheme]
  if (!server) throw new Error(`${scheme} is not in the table`)
  const { env = process.env, apiKeyEnv } = options
  const apiKey = apiKeyEnv === undefined ? firstOf(server.keyIn, env) : undefined
  if (server.needsKey && apiKey === undefined && apiKeyEnv === undefined)
    throw new UsageError(`${scheme}:${model} needs a key: set ${server.keyIn?.join(' or ')}`)
  const { openOpenAI } = await import('../openai/openai.ts')
  // OpenAI's own variables are not for this server.
  const own = Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('OPENAI_')))
  const { baseURL = addressOf(server, env) } = options
  return openOpenAI({ ...options, env: apiKeyEnv?.startsWith('OPENAI_') ? env : own, baseURL, apiKey, model })
}

async function openProvider(
  name: string,
  model: string,
  provider: Provider,
  options: OpenOptions,
): Promise<Engine> {
  const settings = readSettings(name, provider, options)
  const [{ fromAiSdk }, library] = await Promise.all([
    import('../ai-sdk/ai-sdk.ts'),
    importPackage(provider.package),
  ])
  const create = library[provider.create]
  if (typeof create !== 'function')
    throw new UsageError(
      `${provider.package} has no ${provider.create}: install another version: npm install ${provider.package}@latest`,
    )
  const { extraBody, headers, ...rest } = options
  keepSecret(...secretsOf(settings))
  const made = create({
    ...settings,
    ...(headers && { headers }),
    ...(extraBody && { fetch: fetchWith(extraBody) }),
  })
  return fromAiSdk(made(model) as AiSdkModel, { ...rest, id: name })
}

/** What a provider is made with. @throws UsageError that names the package and the variables that are missing */
function readSettings(name: string, provider: Provider, options: OpenOptions): Record<string, string> {
  const { env = process.env, apiKeyEnv } = options
  const [baseURL] = [options.baseURL ?? []].flat()
  const given: Record<string, string> = {}
  if (baseURL !== undefined) given.baseURL = baseURL
  if (apiKeyEnv !== undefined) {
    const value = env[apiKeyEnv]?.trim()
    if (!value) throw new UsageError(`${name}: expected the key in ${apiKeyEnv}, but it is not set`)
    given.apiKey = value
  }
  const sets = provider.needs.map((needed) => ({ ...valuesOf(needed, env), ...given }))
  const at = provider.needs.findIndex((needed, i) => Object.keys(needed).every((key) => sets[i]?.[key]))
  const missing = [
    ...(isInstalled(provider.package) ? [] : [`the package: npm install ${provider.package}`]),
    ...(at < 0 ? [`a key: set ${describeNeeds(provider, env, given)}`] : []),
  ]
  if (missing.length > 0) throw new UsageError(`${name} needs ${missing.join(', and ')}${hintAt(name)}`)
  if (baseURL !== undefined && apiKeyEnv === undefined && !isLoopback(baseURL))
    throw new UsageError(
      `${name}: expected apiKeyEnv, the variable that holds the key of ${new URL(baseURL).origin}: the usual key is for ${provider.about} only`,
    )
  return withVersion({ ...valuesOf(provider.takes ?? {}, env), ...sets[at] }, provider)
}

/** All settings but those that say where. */
function secretsOf(settings: Record<string, string>): string[] {
  const open = ['baseURL', 'region', 'resourceName', 'project', 'location']
  return Object.entries(settings).flatMap(([name, value]) => (open.includes(name) ? [] : [value]))
}

/** Other programs give Anthropic's address without its version. */
function withVersion(settings: Record<string, string>, provider: Provider): Record<string, string> {
  const { baseURL } = settings
  if (provider !== providers.anthropic || !baseURL || !URL.canParse(baseURL)) return settings
  return new URL(baseURL).pathname === '/'
    ? { ...settings, baseURL: `${baseURL.replace(/\/+$/, '')}/v1` }
    : settings
}

function valuesOf(variables: Variables, env: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [setting, names] of Object.entries(variables)) {
    const value = firstOf(names, env)
    if (value !== undefined) found[setting] = value
  }
  return found
}

/** The variables that are missing of each set; one of the sets is enough. */
function describeNeeds({ needs }: Provider, env: NodeJS.ProcessEnv, given: object): string {
  const ways = needs.map((needed) =>
    Object.entries(needed)
      .filter(([setting, names]) => !(setting in given) && firstOf(names, env) === undefined)
      .map(([, names]) => names[0])
      .join(' and '),
  )
  return [...new Set(ways)].join(', or ')
}

/** Ollama has models such as `mistral:7b`. */
function hintAt(name: string): string {
  const isTag = /^[\w.-]+:(latest|[\d.]+[bm](-.*)?)$/i.test(name)
  return isTag ? `. Is it a model of Ollama? Then: ollama:${name}` : ''
}

function isLoopback(address: string): boolean {
  return /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(address).hostname)
}

/** Joins fields to the JSON body of each request: providers know only their own. */
function fetchWith(extra: Record<string, unknown>): typeof globalThis.fetch {
  return (input, init) => {
    if (typeof init?.body !== 'string') return fetch(input, init)
    return fetch(input, { ...init, body: JSON.stringify({ ...JSON.parse(init.body), ...extra }) })
  }
}
