/**
 * Word problems with worked solutions, and with drafts that have the mistakes of people and models. A problem is a list
 * of steps, so a mistake carries through to the end, and a program can check every solution.
 */
import type { Operand, Operation, Problem, Step } from './problem.ts'
import { problemKinds } from './word-problem-kinds.ts'

/**
 * The mistake in a draft.
 * - `slip`: one result is wrong; `wrong-operation`: plus and minus, or times and divided by, are swapped
 * - `misread`: one number is replaced by another of the question, by itself plus 1 or by ten times itself
 * - `stops-early`: the last step is missing; `skips-step`: an earlier step is missing
 */
export type Corruption = 'slip' | 'wrong-operation' | 'misread' | 'stops-early' | 'skips-step'

const corruptions: Corruption[] = ['slip', 'slip', 'wrong-operation', 'misread', 'stops-early', 'skips-step']
const opposite: Record<Operation, Operation> = { '+': '-', '-': '+', '*': '/', '/': '*' }

type Random = () => number
const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)] as T

/** Makes a problem with a whole number as its answer. All results are above 0 and have at most one decimal. */
export function makeProblem(random: Random): Problem {
  const kinds = Object.entries(problemKinds)
  for (;;) {
    const [kind, make] = pick(kinds, random)
    const problem = { kind, ...make(random) }
    const values = evaluate(problem.steps)
    const isTidy = values.every((value) => value > 0 && Number.isInteger(10 * value))
    if (isTidy && Number.isInteger(values.at(-1))) return problem
  }
}

/** Computes the result of each step. `slips` maps a step to an error added to its result; later steps use the wrong result. */
export function evaluate(steps: Step[], slips: Record<number, number> = {}): number[] {
  const values: number[] = []
  for (const [i, { a, operation, b }] of steps.entries()) {
    const [x, y] = [resolveOperand(a, values), resolveOperand(b, values)]
    values.push(compute(x, operation, y) + (slips[i] ?? 0))
  }
  return values
}

function resolveOperand(operand: Operand, values: number[]): number {
  return typeof operand === 'number' ? operand : (values[operand.step] as number)
}

function compute(a: number, operation: Operation, b: number): number {
  if (operation === '+') return a + b
  if (operation === '-') return a - b
  return Math.round((operation === '*' ? a * b : a / b) * 1e6) / 1e6
}

const manners: ((steps: string[], sums: string[]) => string[])[] = [
  (steps) => steps,
  (_, sums) => sums,
  (steps) => steps.map((step, i) => `Step ${i + 1}: ${step}`),
  (steps) =>
    steps.map(
      (step, i) => `${i === 0 ? 'First' : i === steps.length - 1 ? 'Finally' : 'Then'}, ${lower(step)}`,
    ),
  (_, sums) => ["Let's work it out.", ...sums.map((sum) => `${sum}.`)],
  (steps, sums) => [`We need ${sums.length === 1 ? 'one step' : `${sums.length} steps`}.`, ...steps],
]
const lower = (text: string) => text[0]?.toLowerCase() + text.slice(1)

/** Writes a worked solution that ends in `#### N`. `manner` chooses the wording, from 0; targets use 0. */
export function writeSolution(steps: Step[], manner: number, slips: Record<number, number> = {}): string {
  const values = evaluate(steps, slips)
  const sums = steps.map(({ a, operation, b }, i) => {
    return `${show(resolveOperand(a, values))} ${operation} ${show(resolveOperand(b, values))} = ${show(values[i] as number)}`
  })
  const sentences = steps.map(({ about, unit }, i) => `${about} ${sums[i]}${unit && ` ${unit}`}.`)
  const write = manners[manner % manners.length] as (typeof manners)[number]
  return [...write(sentences, sums), `#### ${show(values.at(-1) as number)}`].join('\n')
}

function show(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/**
 * Writes one draft. `corruption` is absent if the draft is right. Drafts 0 to 4 all differ in wording, and none uses the
 * wording of the target.
 */
export function draftSolution(
  { steps }: Problem,
  { random, draft, rightShare }: { random: Random; draft: number; rightShare: number },
): { text: string; corruption?: Corruption } {
  const manner = 1 + (draft % (manners.length - 1))
  if (random() < rightShare) return { text: writeSolution(steps, manner) }
  const right = show(evaluate(steps).at(-1) as number)
  for (let tries = 0; tries < 50; tries++) {
    const corruption = pick(corruptions, random)
    const { bad, slips } = corrupt(steps, corruption, random)
    const values = bad.length === 0 ? [] : evaluate(bad, slips)
    const isSane = values.length > 0 && values.every((value) => Number.isFinite(value) && value > 0)
    if (isSane && show(values.at(-1) as number) !== right)
      return { text: writeSolution(bad, manner, slips), corruption }
  }
  return { text: writeSolution(steps, manner, { [steps.length - 1]: 1 }), corruption: 'slip' }
}

function corrupt(
  steps: Step[],
  corruption: Corruption,
  random: Random,
): { bad: Step[]; slips?: Record<number, number> } {
  const at = Math.floor(random() * steps.length)
  const step = steps[at] as Step
  const replace = (other: Partial<Step>) => steps.map((s, i) => (i === at ? { ...s, ...other } : s))
  if (corruption === 'slip') return { bad: steps, slips: { [at]: pick([-10, -2, -1, 1, 2, 10], random) } }
  if (corruption === 'wrong-operation') return { bad: replace({ operation: opposite[step.operation] }) }
  if (corruption === 'stops-early') return { bad: steps.slice(0, -1) }
  if (corruption === 'skips-step') return { bad: skipStep(steps, at) }
  const side = typeof step.a === 'number' && (typeof step.b !== 'number' || random() < 0.5) ? 'a' : 'b'
  if (typeof step[side] !== 'number') return { bad: steps }
  const given = steps.flatMap(({ a, b }) => [a, b]).filter((n) => typeof n === 'number')
  return { bad: replace({ [side]: pick([...given, step[side] + 1, step[side] * 10], random) }) }
}

/** Removes a step; later steps use its first operand instead of its result. The last step cannot be skipped this way. */
function skipStep(steps: Step[], at: number): Step[] {
  const skipped = steps[at] as Step
  if (at === steps.length - 1) return steps
  const mend = (operand: Operand): Operand => {
    if (typeof operand === 'number') return operand
    if (operand.step === at) return mend(skipped.a)
    return { step: operand.step - (operand.step > at ? 1 : 0) }
  }
  return steps.filter((_, i) => i !== at).map((s) => ({ ...s, a: mend(s.a), b: mend(s.b) }))
}
