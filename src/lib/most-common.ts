/** Finds the value that occurs most often, by `keyOf`. Among equals it is the first; undefined if there is none. */
export function mostCommon<T>(
  values: readonly T[],
  keyOf: (value: T) => unknown = (value) => value,
): T | undefined {
  const groups = [...Map.groupBy(values, keyOf).values()]
  return groups.reduce((most, group) => (group.length > most.length ? group : most), groups[0] ?? [])[0]
}
