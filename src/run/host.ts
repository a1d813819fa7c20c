/** The one place that gives the core the machine's clock. */
import type { Host } from '../core/host.ts'
import { systemClock } from './clock.ts'

/** A host of the core on this machine: what is given, and the machine's own time. */
export function makeHost(given: Omit<Host, 'clock'>): Host {
  return { ...given, clock: systemClock }
}
