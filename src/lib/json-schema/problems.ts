/** Says what is wrong with a value, in words: where, what was expected, what came. */
import type { ErrorObject } from 'ajv'

const MAX_PROBLEMS = 5
const MAX_GOT_CHARS = 100

/** The first problems, each once. */
export function describeProblems(errors: ErrorObject[], value: unknown): string[] {
  const found = new Set<string>()
  for (const error of errors) {
    if (found.size === MAX_PROBLEMS) break
    found.add(describeProblem(error, value))
  }
  return [...found]
}

function describeProblem(error: ErrorObject, value: unknown): string {
  const steps = error.instancePath.split('/').slice(1).map(unescapeStep)
  const { missingProperty: missing, additionalProperty: extra = error.params.unevaluatedProperty } =
    error.params
  if (missing !== undefined) return `expected ${place([...steps, missing])} to be there, got nothing`
  if (extra !== undefined)
    return `expected no ${place([...steps, extra])}, got ${show(valueAt(value, [...steps, extra]))}`
  return `expected ${place(steps)} ${wish(error)}, got ${show(valueAt(value, steps))}`
}

/** A problem without its place, for messages that begin with the place. */
export function describeWish(error: ErrorObject, value: unknown): string {
  const steps = error.instancePath.split('/').slice(1).map(unescapeStep)
  return `expected ${wish(error).replace(/^to be /, '')}, got ${show(valueAt(value, steps))}`
}

/** What the value should be, after the name of its place. */
function wish({ keyword, params, message = '' }: ErrorObject): string {
  if (keyword === 'type') return `to be ${[params.type].flat().join(' or ')}`
  if (keyword === 'enum') return `to be one of ${show(params.allowedValues).slice(1, -1)}`
  if (keyword === 'const') return `to be ${show(params.allowedValue)}`
  if (keyword === 'false schema') return 'to be absent'
  return message.replace(/^must NOT /, 'not to ').replace(/^must /, 'to ')
}

/** A place in the value, as a program names it: `rivers[0].name`. */
function place(steps: string[]): string {
  if (steps.length === 0) return 'the value'
  const path = steps.reduce((before, step) => {
    if (/^\d+$/.test(step)) return `${before}[${step}]`
    if (!/^[\w$-]+$/.test(step)) return `${before}[${JSON.stringify(step).slice(0, MAX_GOT_CHARS)}]`
    return before === '' ? step : `${before}.${step}`
  }, '')
  return `\`${path.slice(0, 2 * MAX_GOT_CHARS)}\``
}

function unescapeStep(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

function valueAt(value: unknown, steps: string[]): unknown {
  return steps.reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], value)
}

/** A value in an error, cut if it is long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= MAX_GOT_CHARS ? text : `${text.slice(0, MAX_GOT_CHARS)}…`
}
