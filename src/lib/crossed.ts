/** Means, intervals and tests of values by seed and item: the same questions, answered from several samples. */
import {
  type BootstrapOptions,
  bootstrapMean,
  type Interval,
  mean,
  type PairedTest,
  percentileInterval,
  testPairs,
} from './statistics.ts'

/** Values by seed, then by item. An item without a value for a seed is undefined. */
export type Crossed = readonly (readonly (number | undefined)[])[]

/** The mean of each item over its seeds. Items without a value are left out. */
export function meansOfItems(values: Crossed): number[] {
  const items = Array.from({ length: values[0]?.length ?? 0 }, (_, item) =>
    values.flatMap((of) => of[item] ?? []),
  )
  return items.filter((of) => of.length > 0).map(mean)
}

/**
 * Confidence interval of the mean over seeds and items: percentile bootstrap that draws both with replacement. With one
 * seed it is that of `bootstrapMean`.
 * @returns undefined if there are no values
 */
export function bootstrapCrossed(values: Crossed, options: BootstrapOptions): Interval | undefined {
  const { random, level = 0.95, resamples = 2_000 } = options
  const items = values[0]?.length ?? 0
  const means = meansOfItems(values)
  const isEqual = means.every((value) => Math.abs(value - (means[0] as number)) < 1e-12)
  if (values.length < 2 || isEqual) return bootstrapMean(means, options)
  const drawn: number[] = []
  while (drawn.length < resamples) {
    const seeds = values.map(() => values[Math.floor(random() * values.length)] as Crossed[number])
    let [sum, count] = [0, 0]
    for (let i = 0; i < items; i++) {
      const item = Math.floor(random() * items)
      for (const of of seeds) {
        const value = of[item]
        if (value === undefined) continue
        sum += value
        count++
      }
    }
    if (count > 0) drawn.push(sum / count)
  }
  return percentileInterval(drawn, level)
}

/**
 * `testPairs` for series of several seeds. The interval draws seeds and items; the p value is that of the items' means,
 * because answers to one item under several seeds are no separate items.
 * @throws RangeError as `testPairs` does
 */
export function testCrossed(first: Crossed, second: Crossed, options: BootstrapOptions): PairedTest {
  const differences = second.map((of, seed) =>
    of.map((value, item) => {
      const other = first[seed]?.[item]
      return value === undefined || other === undefined ? undefined : value - other
    }),
  )
  const means = meansOfItems(differences)
  const test = testPairs(
    means.map(() => 0),
    means,
    options,
  )
  if (differences.length < 2 || test.unequal === 0) return test
  return { ...test, interval: bootstrapCrossed(differences, options) as Interval }
}
