/** A resumed prompt: what its journal holds is given again by the engines, and only the rest is sampled. */
import type { Host } from '../core/host.ts'
import type { CompletionRequest, Engine, EngineEvent, Usage } from '../core/provider/engine.ts'
import { EngineError, type EngineErrorKind } from '../core/provider/errors.ts'
import type { AftEvent, Completion, Failure } from '../core/result.ts'
import { voiceKey } from '../core/seeds.ts'
import type { RecordedLayer } from '../files/run-journal.ts'

/** Where a sample is: the same in the journal and in the request that asks for it. */
const placeOf = (engine: string, key: string | undefined, seed: number) => `${engine} ${key} ${seed}`

type Record = Map<string, Completion | Failure>

/**
 * The host of a prompt that was interrupted. Closed layers stand as they are. Of an open layer stand the completions,
 * and the failures that a fallback recovered; other failures are sampled again. `emit` gets only what is new.
 */
export function resumeFrom(host: Host, layers: RecordedLayer[]): Host {
  if (layers.length === 0) return host
  const open = layers.findIndex((layer) => !layer.isClosed)
  const closed = open === -1 ? layers : layers.slice(0, open)
  const record = indexLayer(layers[open], open)
  const engines = Object.entries(host.engines).map(([name, engine]) => [name, replay(engine, name, record)])
  return {
    ...host,
    recorded: closed,
    engines: Object.fromEntries(engines),
    emit: (event) => {
      if (!isRecorded(event, record)) host.emit?.(event)
    },
  }
}

function indexLayer(layer: RecordedLayer | undefined, depth: number): Record {
  const { completions = [], failures = [] } = layer ?? {}
  const has = new Set(completions.map((c) => c.index))
  const standing = [...failures.filter((f) => has.has(f.index)), ...completions]
  return new Map(standing.map((s) => [placeOf(s.engine, voiceKey(depth, s.voice), s.seed), s]))
}

function isRecorded(event: AftEvent, record: Record): boolean {
  const made =
    event.type === 'completion-end'
      ? event.completion
      : event.type === 'completion-failed'
        ? event.failure
        : undefined
  if (!made || !('layer' in event)) return false
  return record.has(placeOf(made.engine, voiceKey(event.layer, made.voice), made.seed))
}

/** An engine that gives what the record holds and samples the rest, as one request. */
function replay(engine: Engine, name: string, record: Record): Engine {
  return {
    id: engine.id,
    get contextLength() {
      return engine.contextLength
    },
    countTokens: engine.countTokens && ((messages) => engine.countTokens?.(messages) as Promise<number>),
    async *generate(request) {
      const samples = request.seeds.map((seed) => record.get(placeOf(name, request.key, seed)))
      for (const [index, sample] of samples.entries()) if (sample) yield eventOf(sample, index)
      const open = [...samples.keys()].filter((index) => !samples[index])
      if (open.length === 0) return
      const seeds = open.map((index) => request.seeds[index] as number)
      for await (const event of engine.generate({ ...request, n: open.length, seeds })) {
        const index = open[event.index] as number
        const usage = 'usage' in event && event.usage
        yield usage
          ? { ...event, index, usage: settleUsage(usage, { index, samples, request }) }
          : { ...event, index }
      }
    },
  } as Engine
}

function eventOf(sample: Completion | Failure, index: number): EngineEvent {
  if ('text' in sample) return { ...sample, type: 'completion-end', index }
  const { kind, message, engine, ...more } = sample.error
  const error = new EngineError(engine ?? sample.engine, kind as EngineErrorKind, message, more)
  return { type: 'completion-failed', index, error, usage: sample.usage }
}

/**
 * A usage as an undisturbed run has it. The prompt is sent again for the samples that are missing: if a recorded one
 * bears its cost already, the second cost is set apart in `repeated`.
 */
function settleUsage(
  usage: Usage,
  given: { index: number; samples: (Completion | Failure | undefined)[]; request: CompletionRequest },
): Usage {
  const { index, samples, request } = given
  if (usage.calls === 0) return usage
  const isPaid = samples.some((sample, at) => {
    if (!sample || !('text' in sample)) return false
    return at < index && index - at < (sample.usage.sharedBy ?? 1)
  })
  const asked = samples.filter((sample) => !sample).length
  if (!isPaid) return usage.sharedBy === asked ? { ...usage, sharedBy: request.n } : usage
  const { sharedBy, calls, prefilledTokens, ...rest } = usage
  return {
    ...rest,
    calls: 0,
    prefilledTokens: prefilledTokens === null ? null : 0,
    repeated: { calls, prefilledTokens },
  }
}
