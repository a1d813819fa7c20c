/** Reads and checks the results that evaluations write to a folder. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { z } from 'zod'
import { DataError } from '../core/provider/errors.ts'
import { FileError, toFileError } from '../lib/file-error.ts'
import { readJsonl } from '../lib/jsonl.ts'
import { describeIssue, inWords, parseJsonFile } from './json-file.ts'
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

/**
 * Reads `result.json`, and `questions.jsonl` if the task leaves one.
 * @throws FileError if one cannot be read, DataError if it holds something else
 */
export async function readResults(folder: string): Promise<Results> {
  const file = path.join(folder, 'result.json')
  const value = parseJsonFile(file, await readText(file))
  const of = <T>(shape: z.ZodType<T>) => check(file, undefined, shape, value)
  const { task: kind } = (value ?? {}) as { task?: string }
  if (kind === 'mt-bench') return { folder, kind, result: of(mtBenchShape) }
  if (kind === 'perplexity') return { folder, kind, result: of(perplexityShape) }
  if (kind === 'convergence') return { folder, kind, result: of(convergenceShape) }
  if (kind === 'alpaca-eval') return { folder, kind, result: of(alpacaEvalShape) }
  const result = of(resultShape)
  const questions: QuestionResult[] = []
  const list = path.join(folder, 'questions.jsonl')
  for await (const { value, line } of readJsonl(list)) questions.push(check(list, line, questionShape, value))
  return { folder, kind: 'controls', result, questions }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      const problem =
        'there is no such file; expected a folder that `aft eval` or `aft analyze` wrote with -o'
      throw new FileError(file, problem, { code: 'ENOENT', cause: error })
    }
    throw toFileError(file, error)
  }
}

function check<T>(file: string, line: number | undefined, shape: z.ZodType<T>, value: unknown): T {
  const { data, error } = shape.safeParse(value, inWords)
  const issue = error?.issues[0]
  if (!issue) return data as T
  throw new DataError(file, line, `expected the results of an evaluation; ${describeIssue(issue, value)}`)
}
