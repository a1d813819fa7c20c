/** A pause that one worker was asked for holds for all workers that ask the same engine. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Engine } from '../../core/provider/engine.ts'
import type { AftEvent } from '../../core/result.ts'
import type { RunKeys } from './keys.ts'

/** The pauses of a run's engines. */
export interface Pauses {
  /** Engines that wait out a pause before each request. */
  gate(engines: Record<string, Engine>, signal: AbortSignal): Record<string, Engine>
  /** Passes on the pause that a server asked for. */
  note(event: AftEvent): void
  /** Learns the pauses of other workers. Call it each second. */
  refresh(): Promise<void>
}

/** Shorter waits are one worker's own. */
const LEAST_MS = 1_000
const LONGEST_MS = 600_000
const STEP_MS = 500

/** Makes the pauses of engines, which are the same for all workers if their `id` is. */
export function createPauses(redis: Redis, keys: RunKeys, engines: Record<string, Engine>): Pauses {
  const untilMs = new Map<string, number>()
  const ids = [...new Set(Object.values(engines).map(({ id }) => id))]
  return {
    gate: (given, signal) =>
      Object.fromEntries(
        Object.entries(given).map(([name, engine]) => [
          name,
          wait(engine, signal, () => untilMs.get(engine.id) ?? 0),
        ]),
      ),
    note(event) {
      if (event.type !== 'completion-waiting' || event.kind !== 'rate-limit' || event.ms < LEAST_MS) return
      const id = engines[event.engine]?.id
      if (id === undefined) return
      const ms = Math.ceil(Math.min(event.ms, LONGEST_MS))
      redis.set(keys.pause(id), String(ms), 'PX', ms).catch(() => {})
    },
    async refresh() {
      for (const id of ids) {
        const leftMs = await redis.pttl(keys.pause(id))
        untilMs.set(id, leftMs > 0 ? performance.now() + leftMs : 0)
      }
    },
  }
}

/** The same engine, which waits before a request while `until` is in the future. */
function wait(engine: Engine, signal: AbortSignal, until: () => number): Engine {
  return Object.create(engine, {
    generate: {
      value: async function* (request: Parameters<Engine['generate']>[0]) {
        while (until() > performance.now() && !signal.aborted && !request.signal?.aborted)
          await delay(STEP_MS, undefined, { signal: request.signal ?? signal }).catch(() => {})
        yield* engine.generate(request)
      },
    },
  })
}
