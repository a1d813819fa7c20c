/** Means with intervals, and tests whether two paired series differ. The caller passes the seeded random numbers. */

/** Numbers from 0 to below 1. */
export type Random = () => number

/** An interval with both ends. */
export interface Interval {
  low: number
  high: number
}

/** Arithmetic mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Sample standard deviation (n - 1); 0 for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
}

/** Standard error of the mean; 0 for fewer than two values. */
export function standardError(values: readonly number[]): number {
  return values.length < 2 ? 0 : standardDeviation(values) / Math.sqrt(values.length)
}

/** How values are resampled. */
export interface BootstrapOptions {
  random: Random
  /** Confidence level, 0 to 1; default 0.95. */
  level?: number
  /** Default 2,000. */
  resamples?: number
}

/**
 * Confidence interval of the mean: bias-corrected and accelerated bootstrap (Efron 1987). If all values are equal,
 * resampling shows no spread. Values of -1, 0 or 1 then get the exact binomial interval, others an interval of width 0.
 * @returns undefined if there are no values
 */
export function bootstrapMean(
  values: readonly number[],
  { random, level = 0.95, resamples = 2_000 }: BootstrapOptions,
): Interval | undefined {
  const n = values.length
  const first = values[0]
  if (first === undefined) return undefined
  if (values.every((value) => isNear(value, first))) return intervalOfEqual(first, n, level)
  const observed = mean(values)
  const means = new Float64Array(resamples)
  for (let i = 0; i < resamples; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += values[Math.floor(random() * n)] as number
    means[i] = sum / n
  }
  means.sort()
  return takeQuantiles(means, { level, bias: biasOf(means, observed), acceleration: accelerationOf(values) })
}

/** Whether two numbers differ by no more than a subtraction rounds. */
const isNear = (a: number, b: number) => Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(b))

function intervalOfEqual(value: number, n: number, level: number): Interval {
  const most = 1 - ((1 - level) / 2) ** (1 / n)
  if (value === 0) return { low: 0, high: most }
  if (isNear(value, 1)) return { low: 1 - most, high: 1 }
  if (isNear(value, -1)) return { low: -1, high: most - 1 }
  return { low: value, high: value }
}

/** Bias correction: the share of resampled means below the observed one (ties count half), as a normal deviate. */
function biasOf(sorted: Float64Array, observed: number): number {
  const tolerance = 1e-12 * Math.max(1, Math.abs(observed))
  let below = 0
  for (const value of sorted) {
    if (value < observed - tolerance) below++
    else if (value <= observed + tolerance) below += 0.5
  }
  const share = below / sorted.length
  return normalQuantile(Math.min(1 - 1 / sorted.length, Math.max(1 / sorted.length, share)))
}

/** Acceleration: for a mean, the jackknife gives the skewness / (6 √n). */
function accelerationOf(values: readonly number[]): number {
  const middle = mean(values)
  let [square, cube] = [0, 0]
  for (const value of values) {
    square += (value - middle) ** 2
    cube += (value - middle) ** 3
  }
  return square === 0 ? 0 : cube / (6 * square ** 1.5)
}

function takeQuantiles(
  sorted: Float64Array,
  { level, bias, acceleration }: { level: number; bias: number; acceleration: number },
): Interval {
  const at = (share: number) => {
    const z = bias + normalQuantile(share)
    const shifted = normalShare(bias + z / (1 - acceleration * z))
    const place = Math.round(shifted * (sorted.length - 1))
    return sorted[Math.min(sorted.length - 1, Math.max(0, place))] as number
  }
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) }
}

/** The outcome of `testPairs`. */
export interface PairedTest {
  /** Mean of the second series minus that of the first. */
  difference: number
  interval: Interval
  /** Two-sided. */
  p: number
  /** Pairs that differ. */
  unequal: number
}

/**
 * Tests whether two series of the same items differ in their mean. Differences of -1, 0 and 1 are tested exactly
 * (McNemar's test as a sign test); others by a permutation test that flips signs at random.
 * @throws RangeError if the series are empty or differ in length
 */
export function testPairs(
  first: readonly number[],
  second: readonly number[],
  options: BootstrapOptions,
): PairedTest {
  if (first.length !== second.length || first.length === 0) {
    throw new RangeError(`expected two series of the same items, got ${first.length} and ${second.length}`)
  }
  const differences = second.map((value, i) => value - (first[i] as number))
  const nonzero = differences.filter((d) => !isNear(d, 0))
  const isSign = nonzero.every((d) => isNear(Math.abs(d), 1))
  const p = isSign ? signTest(nonzero) : flipTest(nonzero, options)
  const interval = bootstrapMean(differences, options) as Interval
  const isSame = nonzero.length === 0
  return {
    difference: mean(differences),
    interval: isSame ? { low: 0, high: 0 } : interval,
    p,
    unequal: nonzero.length,
  }
}

/** Exact two-sided p value of a fair coin for so many ups and downs. */
function signTest(signs: readonly number[]): number {
  const n = signs.length
  const ups = signs.filter((d) => d > 0).length
  const least = Math.min(ups, n - ups)
  let [logTerm, sum] = [n * Math.log(0.5), 0]
  for (let k = 0; k <= least; k++) {
    sum += Math.exp(logTerm)
    logTerm += Math.log((n - k) / (k + 1))
  }
  return Math.min(1, 2 * sum)
}

function flipTest(differences: readonly number[], { random, resamples = 2_000 }: BootstrapOptions): number {
  const observed = Math.abs(differences.reduce((a, b) => a + b, 0)) - 1e-9
  let asFar = 1 // the observed series counts as one permutation
  for (let i = 0; i < resamples; i++) {
    let sum = 0
    for (const d of differences) sum += random() < 0.5 ? d : -d
    if (Math.abs(sum) >= observed) asFar++
  }
  return asFar / (resamples + 1)
}

/** Share of the normal distribution below `z`: Abramowitz and Stegun 26.2.17, to 1e-7. */
export function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly
  return z >= 0 ? 1 - tail : tail
}

/** Inverse of `normalShare`, by bisection. */
export function normalQuantile(share: number): number {
  let [low, high] = [-9, 9]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (normalShare(middle) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Interval of the mean by Student's t; undefined for fewer than two values. */
export function studentInterval(values: readonly number[], level = 0.95): Interval | undefined {
  if (values.length < 2) return undefined
  const half = studentQuantile((1 + level) / 2, values.length - 1) * standardError(values)
  return { low: mean(values) - half, high: mean(values) + half }
}

/** Quantile of Student's distribution at `share` (from 0.5 to below 1), by bisection. */
export function studentQuantile(share: number, degrees: number): number {
  let [low, high] = [0, 1]
  while (1 - (1 - studentMiddle(high, degrees)) / 2 < share) high *= 2
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (1 - (1 - studentMiddle(middle, degrees)) / 2 < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Share of Student's distribution between -t and t: Abramowitz and Stegun 26.7.3 and 26.7.4, exact. */
function studentMiddle(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees))
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const isOdd = degrees % 2 === 1
  let [term, sum] = isOdd ? [cos, degrees > 1 ? cos : 0] : [1, 1]
  for (let k = isOdd ? 3 : 2; k < degrees; k += 2) {
    term *= (cos * cos * (k - 1)) / k
    sum += term
  }
  return isOdd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum
}

/** A sum and what it is divided by. */
export type Ratio = [sum: number, count: number]

/**
 * Interval of a ratio of sums over cases, such as nats per token: percentile bootstrap over the cases.
 * @returns undefined without cases or with a total count of 0
 */
export function bootstrapRatio(
  cases: readonly Ratio[],
  { random, level = 0.95, resamples = 2_000 }: BootstrapOptions,
): Interval | undefined {
  if (cases.every(([, count]) => count === 0)) return undefined
  const ratios: number[] = []
  while (ratios.length < resamples) {
    let [sum, count] = [0, 0]
    for (let i = 0; i < cases.length; i++) {
      const [a, b] = cases[Math.floor(random() * cases.length)] as Ratio
      sum += a
      count += b
    }
    if (count > 0) ratios.push(sum / count)
  }
  return percentileInterval(ratios, level)
}

/** The middle `level` of drawn values, which it sorts: the percentile bootstrap. */
export function percentileInterval(drawn: number[], level: number): Interval {
  drawn.sort((a, b) => a - b)
  const at = (share: number) => drawn[Math.round(share * (drawn.length - 1))] as number
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) }
}

/**
 * Corrects the p values of several tests on the same data (Holm 1979): the chance that any test is below a level by
 * accident is then at most that level.
 * @returns one value per test, in their order
 */
export function correctHolm(values: readonly number[]): number[] {
  const order = values.map((p, i) => ({ p, i })).sort((a, b) => a.p - b.p)
  const corrected: number[] = []
  let largest = 0
  for (const [rank, { p, i }] of order.entries()) {
    largest = Math.max(largest, Math.min(1, p * (values.length - rank)))
    corrected[i] = largest
  }
  return corrected
}
