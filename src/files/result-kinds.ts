/** Tells the kinds of results apart and checks them. It reads no files: the page uses it too. */
import type { z } from 'zod'
import { DataError } from '../core/provider/errors.ts'
import { describeIssue, inWords } from './json-file.ts'
import {
  alpacaEvalShape,
  convergenceShape,
  mtBenchShape,
  perplexityShape,
  questionShape,
  resultShape,
} from './result-shapes.ts'

/** The result of a task with controls. */
export type Result = z.infer<typeof resultShape>
/** A line of `questions.jsonl`: a question with its answers and their scores. */
export type QuestionResult = z.infer<typeof questionShape>

/** The result of MT-Bench. */
export type MtBenchResult = z.infer<typeof mtBenchShape>
/** The result of `aft analyze perplexity`. */
export type PerplexityResult = z.infer<typeof perplexityShape>
/** The result of `aft analyze convergence`. */
export type ConvergenceResult = z.infer<typeof convergenceShape>
/** The result of `aft eval alpaca-eval`. */
export type AlpacaEvalResult = z.infer<typeof alpacaEvalShape>

/** A folder of results. The kind `controls` stands for every task whose rows are controls or points of a grid. */
export type Results =
  | { folder: string; kind: 'controls'; result: Result; questions: QuestionResult[] }
  | { folder: string; kind: 'mt-bench'; result: MtBenchResult }
  | { folder: string; kind: 'perplexity'; result: PerplexityResult }
  | { folder: string; kind: 'convergence'; result: ConvergenceResult }
  | { folder: string; kind: 'alpaca-eval'; result: AlpacaEvalResult }

/** Checks the parsed content of a result. @throws DataError with the file, if it is not the result of its task */
export function checkResult(folder: string, file: string, value: unknown): Results {
  const of = <T>(shape: z.ZodType<T>) => check(file, undefined, shape, value)
  const { task: kind } = (value ?? {}) as { task?: string }
  if (kind === 'mt-bench') return { folder, kind, result: of(mtBenchShape) }
  if (kind === 'perplexity') return { folder, kind, result: of(perplexityShape) }
  if (kind === 'convergence') return { folder, kind, result: of(convergenceShape) }
  if (kind === 'alpaca-eval') return { folder, kind, result: of(alpacaEvalShape) }
  return { folder, kind: 'controls', result: of(resultShape), questions: [] }
}

/** Checks a line of `questions.jsonl`. @throws DataError with file and line */
export function checkQuestion(file: string, line: number, value: unknown): QuestionResult {
  return check(file, line, questionShape, value)
}

function check<T>(file: string, line: number | undefined, shape: z.ZodType<T>, value: unknown): T {
  const { data, error } = shape.safeParse(value, inWords)
  const issue = error?.issues[0]
  if (!issue) return data as T
  throw new DataError(file, line, `expected the results of an evaluation; ${describeIssue(issue, value)}`)
}
