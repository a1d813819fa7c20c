/** The seed of every sample: a run can be repeated, and a resumed run continues the same run. */
import { hashParts } from '../lib/random.ts'

/** Samples of one voice have consecutive seeds: servers that read `seed` once count on from it themselves. */
const ROOM_FOR_INDEX = 1 << 16

/** Seed of one sample, 0 to 2^31 - 1. */
export function seedOf(
  planSeed: number,
  promptId: string,
  layer: number,
  voice: number,
  index: number,
): number {
  return (hashParts(planSeed, promptId, layer, voice) % (2 ** 31 - ROOM_FOR_INDEX)) + index
}

/** Seed of a sample that is made a second time, 0 to 2^31 - 1. */
export function seedAgain(seed: number): number {
  return hashParts(seed, 'again') % 2 ** 31
}

/** What a request says of itself: with a seed it names one sample of a prompt. */
export function groupKey(layer: number, voice: number): string {
  return `${layer}.${voice}`
}
