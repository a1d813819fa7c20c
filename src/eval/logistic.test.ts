import { expect, test } from 'vitest'
import { coefficientError, fitLogistic, sigmoid } from './logistic.ts'

test('with only a constant feature the fit is the weighted mean', () => {
  const rows = [0.2, 0.5, 0.9].map((label, i) => ({ features: [1], label, weight: i + 1 }))
  const [constant = 0] = fitLogistic(rows)
  expect(sigmoid(constant)).toBeCloseTo((0.2 + 2 * 0.5 + 3 * 0.9) / 6, 6)
})

test('labels on a logistic curve give back its coefficients', () => {
  const rows = Array.from({ length: 41 }, (_, i) => (i - 20) / 5).map((x) => ({
    features: [x, 1],
    label: sigmoid(1.5 * x - 0.7),
    weight: 1,
  }))
  const [slope, constant] = fitLogistic(rows)
  expect(slope).toBeCloseTo(1.5, 5)
  expect(constant).toBeCloseTo(-0.7, 5)
})

test('separable labels and a feature that is always 0 give finite numbers', () => {
  const rows = [-2, -1, 1, 2].map((x) => ({ features: [x, 0, 1], label: x > 0 ? 1 : 0, weight: 1 }))
  const coefficients = fitLogistic(rows)
  expect(coefficients.every(Number.isFinite)).toBe(true)
  expect(coefficients[1]).toBe(0)
  expect(coefficients[0]).toBeGreaterThan(3)
})

test('the error of a constant is the binomial one', () => {
  const rows = Array.from({ length: 400 }, (_, i) => ({ features: [1], label: i < 120 ? 1 : 0, weight: 1 }))
  const error = coefficientError(rows, fitLogistic(rows), 0)
  expect(error * 0.3 * 0.7).toBeCloseTo(Math.sqrt((0.3 * 0.7) / 400), 6)
})
