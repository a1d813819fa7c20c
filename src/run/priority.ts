/** Larger than any prompt position, so that layers sort before prompts. */
const LAYER = 2 ** 32

/**
 * Which completions go first when they wait for a place: lower is earlier. Deeper layers go first, then older prompts:
 * what is nearly done ends before anything is begun. For the last prompts it is the other way round: those with the
 * most layers left go first, or a long chain would remain at the end while places are idle. (`bench/scheduling.ts` measures it.)
 * @param pending prompts that will be started
 * @param active prompts at work at a time; so many are the last
 * @returns the priority of a layer of the prompt that was started at `position`, from 0
 */
export function createPriority(pending: number, active: number): (position: number, layer: number) => number {
  return (position, layer) => position + (position < pending - active ? -layer : layer) * LAYER
}
