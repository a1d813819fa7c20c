/** Gives every sample its own seed, so that a run can be repeated and a resumed run continues the same run. */
import { hashParts } from '../lib/random.ts'

/** Seeds of one voice are consecutive: a server that gets one `seed` for `n` samples counts up from it. */
const ROOM_FOR_SAMPLES = 1 << 16

/** Seed of one sample, 0 to 2^31 - 1. `sample` is its number in the voice, from 0. */
export function seedOf(
  planSeed: number,
  promptId: string,
  layer: number,
  voice: number,
  sample: number,
): number {
  return (hashParts(planSeed, promptId, layer, voice) % (2 ** 31 - ROOM_FOR_SAMPLES)) + sample
}

/** Seed for a sample that is drawn again, 0 to 2^31 - 1. */
export function seedAgain(seed: number): number {
  return hashParts(seed, 'again') % 2 ** 31
}

/** The `key` of a request. Together with a seed it identifies one sample of a prompt. */
export function voiceKey(layer: number, voice: number): string {
  return `${layer}.${voice}`
}
