/** A word problem as a list of steps. */

/** What a step does with its two numbers. */
export type Operation = '+' | '-' | '*' | '/'
/** A number that the question gives, or the result of an earlier step. */
export type Operand = number | { step: number }

/** One step of a solution. */
export interface Step {
  /** What the step computes, as the start of a sentence: "The pens cost". */
  about: string
  a: Operand
  operation: Operation
  b: Operand
  /** Follows the result; may be empty. */
  unit: string
}

/** A question with the steps that solve it. */
export interface Problem {
  kind: string
  question: string
  steps: Step[]
}
