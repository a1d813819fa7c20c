/** Gives the operator's engines public names. Clients see no address and no path, unless the operator wants that. */
import type { Engine } from '../../core/provider/engine.ts'
import type { Failure } from '../../core/provider/records.ts'
import type { AftEvent, Result } from '../../core/result.ts'
import type { Role } from '../../plans/option-kinds.ts'
import { renameRole } from '../../plans/roles.ts'
import type { PlanOptions } from '../../plans/strategies.ts'
import type { Sink } from '../../request/live.ts'
import { isInternal } from './api-error.ts'

/** Engines under the names that clients see. */
export interface Names {
  /** Engines by the names that clients see. */
  engines: Record<string, Engine>
  /** The name that clients see. */
  publicOf(name: string): string
  /** Returns plan options with the public names instead of the operator's. */
  rename<T extends Partial<PlanOptions>>(options: T): T
  /** Removes addresses, paths and private names from an engine's message. */
  conceal(text: string): string
}

/**
 * Names engines for clients: `http://10.0.0.5:8000/v1#llama` is `llama`, `gguf:/models/small.gguf` is `small`. If two
 * would have the same name, the second gets a number.
 */
export function nameEngines(engines: Record<string, Engine>, showAddresses = false): Names {
  const publicNames = new Map<string, string>()
  for (const name of Object.keys(engines)) {
    publicNames.set(name, showAddresses ? name : unique(shorten(name), [...publicNames.values()]))
  }
  const toPublic = (name: string) => publicNames.get(name) ?? name
  const rename = (role: string | Role) => renameRole(role, toPublic)
  // Longest first, because one name may start with another.
  const secrets = Object.entries(engines)
    .flatMap(([name, { id }]) => [name, id].map((text): [string, string] => [text, toPublic(name)]))
    .filter(([text, shown]) => text !== shown && text !== '')
    .sort(([a], [b]) => b.length - a.length)
  const conceal = (text: string) =>
    hidePlaces(secrets.reduce((left, [secret, shown]) => left.replaceAll(secret, shown), text))
  return {
    engines: Object.fromEntries(Object.entries(engines).map(([name, engine]) => [toPublic(name), engine])),
    publicOf: toPublic,
    rename: (options) => ({
      ...options,
      ...(options.proposers && { proposers: options.proposers.map(rename) }),
      ...(options.aggregators && { aggregators: options.aggregators.map(rename) }),
      ...(options.judge && { judge: rename(options.judge) }),
    }),
    conceal: showAddresses ? (text) => text : conceal,
  }
}

/** Removes from a failure what clients must not see: addresses, and the text of internal errors. */
export function concealFailure(failure: Failure, { conceal }: Names): Failure {
  const { engine, ...error } = failure.error
  const message = isInternal(error)
    ? 'the engine failed; the log of the server says why'
    : conceal(error.message)
  return { ...failure, error: { ...error, message } }
}

/** Removes from a result's failures what clients must not see. */
export function concealResult(result: Result, names: Names): Result {
  const hide = (failure: Failure) => concealFailure(failure, names)
  const { judgment } = result
  return {
    ...result,
    layers: result.layers.map((layer) => ({ ...layer, failures: layer.failures.map(hide) })),
    ...(judgment && 'error' in judgment && { judgment: hide(judgment) }),
  }
}

/** Makes a sink that removes from events what clients must not see. */
export function concealEvents(sink: Sink | undefined, names: Names): Sink | undefined {
  const send = sink?.event
  if (!send) return sink
  const event = (event: AftEvent) => {
    if (event.type === 'completion-failed') send({ ...event, failure: concealFailure(event.failure, names) })
    else if ('reason' in event) send({ ...event, reason: names.conceal(event.reason) })
    else send(event)
  }
  return { ...sink, event }
}

function shorten(name: string): string {
  if (/^https?:\/\//.test(name)) return name.slice(name.lastIndexOf('#') + 1)
  if (name.startsWith('hf:') || !/[/\\]/.test(name)) return name
  return (name.split(/[/\\]/).at(-1) as string).replace(/\.(gguf|json)$/i, '')
}

function unique(name: string, taken: string[]): string {
  if (!taken.includes(name)) return name
  for (let n = 2; ; n++) if (!taken.includes(`${name}-${n}`)) return `${name}-${n}`
}

const PLACES: [RegExp, string][] = [
  [/\b[a-z][a-z+.-]*:\/\/[^\s"'<>()\]]+/gi, '[address]'],
  [/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g, '[address]'],
  [/(?<![\w:])\[?([\da-f]{0,4}:){2,7}[\da-f]{0,4}\]?(:\d+)?(?![\w:])/gi, '[address]'],
  [/\blocalhost(:\d+)?\b/g, '[address]'],
  [/\b(ENOTFOUND|EAI_AGAIN) [\w.-]+/g, '$1 [address]'],
  [/(?<![\w/.])(~|\.{0,2})\/([\w.@+-]+\/)+[\w.@+-]*/g, '[path]'],
]

function hidePlaces(text: string): string {
  return PLACES.reduce((left, [pattern, shown]) => left.replace(pattern, shown), text)
}
