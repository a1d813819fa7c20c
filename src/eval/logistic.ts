/** Fits logistic regressions with fractional labels and weights, by Newton's method. */

/** One observation of a logistic regression. */
export interface WeightedRow {
  /** All rows have the same number of features. For an intercept, add a feature that is always 1. */
  features: readonly number[]
  /** From 0 to 1. */
  label: number
  weight: number
}

const RIDGE = 1e-6
const MAX_STEPS = 100

/**
 * Finds the coefficients with the greatest weighted likelihood, one per feature. A tiny ridge penalty keeps them finite
 * if labels are separable, and at 0 if a feature is always 0.
 */
export function fitLogistic(rows: readonly WeightedRow[]): number[] {
  const count = rows[0]?.features.length ?? 0
  let coefficients = new Array<number>(count).fill(0)
  let loss = lossOf(rows, coefficients)
  for (let i = 0; i < MAX_STEPS; i++) {
    const step = newtonStep(rows, coefficients)
    let scale = 1
    let next = coefficients
    let nextLoss = loss
    // with few labels a whole step may go too far; a part of it always descends
    for (; scale > 1e-6; scale /= 2) {
      next = coefficients.map((c, k) => c + scale * (step[k] as number))
      nextLoss = lossOf(rows, next)
      if (nextLoss <= loss) break
    }
    if (!(nextLoss <= loss)) break
    const moved = Math.max(...next.map((c, k) => Math.abs(c - (coefficients[k] as number))))
    coefficients = next
    loss = nextLoss
    if (moved < 1e-10) break
  }
  return coefficients
}

/**
 * Estimates the standard error of one coefficient without assuming a spread of the labels (the sandwich estimate of
 * Huber and White).
 * @param at place of the coefficient
 */
export function coefficientError(
  rows: readonly WeightedRow[],
  coefficients: readonly number[],
  at: number,
): number {
  const unit = coefficients.map((_, i) => (i === at ? 1 : 0))
  const direction = solve(derivativesOf(rows, coefficients).hessian, unit)
  let variance = 0
  for (const { features, label, weight } of rows) {
    const residual = weight * (label - sigmoid(dot(features, coefficients)))
    variance += (residual * dot(features, direction)) ** 2
  }
  return Math.sqrt(variance)
}

/** The logistic function. */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

function lossOf(rows: readonly WeightedRow[], coefficients: readonly number[]): number {
  let loss = (RIDGE / 2) * dot(coefficients, coefficients)
  for (const { features, label, weight } of rows) {
    const z = dot(features, coefficients)
    loss += weight * (Math.max(z, 0) - z * label + Math.log1p(Math.exp(-Math.abs(z))))
  }
  return loss
}

function newtonStep(rows: readonly WeightedRow[], coefficients: readonly number[]): number[] {
  const { gradient, hessian } = derivativesOf(rows, coefficients)
  return solve(hessian, gradient)
}

/** First and second derivatives of the penalized likelihood, the second without its sign. */
function derivativesOf(rows: readonly WeightedRow[], coefficients: readonly number[]) {
  const gradient = coefficients.map((c) => -RIDGE * c)
  const hessian = coefficients.map((_, i) => coefficients.map((_, j) => (i === j ? RIDGE : 0)))
  for (const { features, label, weight } of rows) {
    const chance = sigmoid(dot(features, coefficients))
    addScaled(gradient, weight * (label - chance), features)
    addProducts(hessian, weight * chance * (1 - chance), features)
  }
  return { gradient, hessian }
}

function addScaled(sum: number[], scale: number, values: readonly number[]): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + scale * (values[i] as number)
}

/** Adds the products of all pairs of features, scaled. */
function addProducts(sum: number[][], scale: number, features: readonly number[]): void {
  for (let i = 0; i < sum.length; i++)
    addScaled(sum[i] as number[], scale * (features[i] as number), features)
}

/** Solves by Gauss elimination. The matrix is positive definite, so no rows need to be exchanged. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length
  const rows = matrix.map((row, i) => [...row, right[i] as number])
  for (let i = 0; i < n; i++) {
    const pivot = rows[i] as number[]
    for (const row of rows.slice(i + 1)) {
      const factor = (row[i] as number) / (pivot[i] as number)
      for (let j = i; j <= n; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number)
    }
  }
  const result = new Array<number>(n).fill(0)
  for (let i = n - 1; i >= 0; i--) {
    const row = rows[i] as number[]
    let value = row[n] as number
    for (let j = i + 1; j < n; j++) value -= (row[j] as number) * (result[j] as number)
    result[i] = value / (row[i] as number)
  }
  return result
}
