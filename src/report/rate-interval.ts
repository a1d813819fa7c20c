/** Intervals of win rates. */

const REACH = 1.96

/** The 95 % interval of a rate in percent, 1.96 standard errors to each side, within 0 to 100. */
export function rateInterval(rate: number, error: number): { low: number; high: number } {
  return { low: Math.max(0, rate - REACH * error), high: Math.min(100, rate + REACH * error) }
}
