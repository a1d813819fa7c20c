/** The names and colors of the members of a run. For people they count from 1. */

/** Returns the class that has a proposal's color; gray for what came from none. */
export const hueOf = (proposal: number | undefined) => `hue-${proposal === undefined ? 'none' : proposal % 8}`

/** Makes the name of a place from its layer and member. */
export const placeOf = (layer: number, index: number) => `${layer}-${index}`

/** Returns a member's title: "Proposal 2", or "Aggregation 2.1" for the first member of the second layer. */
export function nameOf(layer: number, index: number): string {
  return layer === 0 ? `Proposal ${index + 1}` : `Aggregation ${layer + 1}.${index + 1}`
}
