/** Results as evaluations leave them in a folder: read and checked, whoever wrote them. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { DataError } from '../core/errors.ts'
import { toFileError } from '../lib/file-error.ts'
import { readJsonl } from '../lib/jsonl.ts'

const interval = z.looseObject({ low: z.number(), high: z.number() })
const score = z.looseObject({ mean: z.number(), interval })
const test = z.looseObject({ difference: z.number(), p: z.number(), interval }).nullable()
const row = z.looseObject({
  control: z.string(),
  title: z.string(),
  n: z.number(),
  scores: z.record(z.string(), score),
  calls: z.number(),
  prompt_tokens: z.number(),
  prefilled_tokens: z.number().nullable(),
  generated_tokens: z.number(),
  seconds: z.number(),
  cost: z.number().nullable(),
  mean_length_chars: z.number(),
  against_single: test,
})
const changes = z.looseObject({
  control: z.string(),
  ...{ rescued: z.number(), broke: z.number(), kept: z.number(), lost: z.number() },
  ...{ all_right: z.number(), all_wrong: z.number(), copy_rate: z.number(), position: z.array(z.number()) },
})
const resultShape = z.looseObject({
  task: z.string(),
  metrics: z.array(z.string()).min(1),
  n: z.number(),
  asked: z.number(),
  model: z.string(),
  settings: z.record(z.string(), z.unknown()),
  template: z.looseObject({ id: z.string(), sha256: z.string() }),
  command: z.string(),
  version: z.string(),
  date: z.string(),
  rows: z.array(row).min(1),
  changes: z.array(changes),
  agreement: z.number(),
  judge_position: z.array(z.number()).nullable(),
})
const rating = z.looseObject({ mean: z.number(), interval, n: z.number() }).nullable()
const mtBenchShape = z.looseObject({
  task: z.literal('mt-bench'),
  ...{ n: z.number(), asked: z.number(), model: z.string(), judge: z.string() },
  settings: z.record(z.string(), z.unknown()),
  template: z.looseObject({ id: z.string(), sha256: z.string() }),
  ...{ command: z.string(), version: z.string(), date: z.string() },
  ...{ turn_1: rating, turn_2: rating, both: rating },
  categories: z.array(
    z.looseObject({
      category: z.string(),
      ...{ turn_1: z.number().nullable(), turn_2: z.number().nullable(), both: z.number().nullable() },
    }),
  ),
  unreadable: z.array(z.unknown()),
})
const questionShape = z.looseObject({
  id: z.string(),
  prompt: z.string(),
  proposals: z.array(z.looseObject({ text: z.string(), score: z.number() })),
  answers: z.array(
    z.looseObject({
      control: z.string(),
      text: z.string(),
      scores: z.record(z.string(), z.number()),
      copied: z.looseObject({ share: z.number(), nearest: z.number().optional() }).optional(),
    }),
  ),
})

export type Result = z.infer<typeof resultShape>
export type QuestionResult = z.infer<typeof questionShape>

/** A folder of results. */
export type Results =
  | { folder: string; result: Result; questions: QuestionResult[] }
  | { folder: string; mtBench: MtBenchResult }

/** Ratings by turn and category. */
export type MtBenchResult = z.infer<typeof mtBenchShape>

/**
 * Reads `result.json`, and `questions.jsonl` where the task leaves one.
 * @throws FileError where one cannot be read, DataError where it holds something else
 */
export async function readResults(folder: string): Promise<Results> {
  const file = path.join(folder, 'result.json')
  const value = parse(file, await readText(file))
  if ((value as { task?: string } | null)?.task === 'mt-bench') {
    return { folder, mtBench: check(file, undefined, mtBenchShape, value) }
  }
  const result = check(file, undefined, resultShape, value)
  const questions: QuestionResult[] = []
  const list = path.join(folder, 'questions.jsonl')
  for await (const { value, line } of readJsonl(list)) questions.push(check(list, line, questionShape, value))
  return { folder, result, questions }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw toFileError(file, error)
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DataError(file, undefined, `expected JSON: ${(error as Error).message}`)
  }
}

function check<T>(file: string, line: number | undefined, shape: z.ZodType<T>, value: unknown): T {
  const { data, error } = shape.safeParse(value)
  const issue = error?.issues[0]
  if (!issue) return data as T
  const place = issue.path.join('.') || 'the whole'
  throw new DataError(file, line, `expected the results of an evaluation; ${place}: ${issue.message}`)
}
