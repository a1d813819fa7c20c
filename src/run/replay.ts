/**
 * Resumes a prompt. A closed layer is given to the algorithm as it is (`host.recorded`): what was decided in it stands, and
 * its completions need not be an engine's (given proposals). In the open layer the engines return what the journal holds,
 * and sample only the rest: the algorithm decides anew, as without the interruption.
 */
import type { Host } from '../core/host.ts'
import type { CompletionRequest, Engine, EngineEvent, Usage } from '../core/provider/engine.ts'
import { EngineError, type EngineErrorKind } from '../core/provider/errors.ts'
import type { Completion, Failure } from '../core/provider/records.ts'
import type { AftEvent } from '../core/result.ts'
import { voiceKey } from '../core/seeds.ts'
import type { JournalLayer } from '../files/journal-prompts.ts'

/** Identifies a sample, in the journal and in the request that asks for it. */
const keyOf = (engine: string, key: string | undefined, seed: number) => `${engine} ${key} ${seed}`

/** What the journal holds of the open layer, by `keyOf`. */
type Recorded = Map<string, Completion | Failure>

/**
 * Makes the host that resumes an interrupted prompt. Closed layers are kept as they are. The open layer keeps its
 * completions and the failures that a fallback recovered; other failures are sampled again. `emit` gets only new events.
 */
export function resumeFrom(host: Host, layers: JournalLayer[]): Host {
  if (layers.length === 0) return host
  const open = layers.findIndex((layer) => layer.shown === undefined)
  const closed = open === -1 ? layers : layers.slice(0, open)
  const recorded = indexLayer(layers[open], open)
  const engines = Object.entries(host.engines).map(([name, engine]) => [name, replay(engine, name, recorded)])
  return {
    ...host,
    recorded: closed,
    engines: Object.fromEntries(engines),
    emit: (event) => {
      if (!isRecorded(event, recorded)) host.emit?.(event)
    },
  }
}

function indexLayer(layer: JournalLayer | undefined, layerIndex: number): Recorded {
  const { completions = [], failures = [] } = layer ?? {}
  const has = new Set(completions.map((c) => c.index))
  const kept = [...failures.filter((f) => has.has(f.index)), ...completions]
  return new Map(kept.map((s) => [keyOf(s.engine, voiceKey(layerIndex, s.voice), s.seed), s]))
}

function isRecorded(event: AftEvent, recorded: Recorded): boolean {
  const made =
    event.type === 'completion-end'
      ? event.completion
      : event.type === 'completion-failed'
        ? event.failure
        : undefined
  if (!made || !('layer' in event)) return false
  return recorded.has(keyOf(made.engine, voiceKey(event.layer, made.voice), made.seed))
}

/** An engine that returns the recorded samples of a request and asks `engine` for the missing ones. */
function replay(engine: Engine, name: string, recorded: Recorded): Engine {
  return {
    id: engine.id,
    get contextLength() {
      return engine.contextLength
    },
    countTokens: engine.countTokens && ((messages) => engine.countTokens?.(messages) as Promise<number>),
    async *generate(request) {
      const samples = request.seeds.map((seed) => recorded.get(keyOf(name, request.key, seed)))
      for (const [index, sample] of samples.entries()) if (sample) yield eventOf(sample, index)
      const open = [...samples.keys()].filter((index) => !samples[index])
      if (open.length === 0) return
      const seeds = open.map((index) => request.seeds[index] as number)
      for await (const event of engine.generate({ ...request, n: open.length, seeds })) {
        const index = open[event.index] as number
        const usage = 'usage' in event && event.usage
        yield usage
          ? { ...event, index, usage: correctUsage(usage, { index, samples, request }) }
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
 * Corrects a usage to what a run without interruption would have. The prompt is sent again for the missing samples. If a
 * recorded sample carries its cost already, the second cost goes to `repeated`.
 */
function correctUsage(
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
