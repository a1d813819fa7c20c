import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../core/host.ts'

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }).catch(() => {}),
}
