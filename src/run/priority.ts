/** Larger than any prompt position, so that layers sort before prompts. */
const LAYER = 2 ** 32

/**
 * Makes the function that says which requests go first when they wait for an engine: lower is earlier. Deeper layers go
 * first, then older prompts, so that prompts are finished before others start. For the last prompts it is the other way
 * round: those with the most layers left go first, or a few long chains would run alone at the end. (`bench/scheduling.ts`
 * measures it.)
 * @param pending number of prompts that will be started
 * @param active number of prompts in progress at a time, which is also the number of "last" prompts
 * @returns the priority of a layer of the prompt that was started at `position`, from 0
 */
export function createPriority(pending: number, active: number): (position: number, layer: number) => number {
  return (position, layer) => position + (position < pending - active ? -layer : layer) * LAYER
}
