/** Reads MT-Bench's files: questions of two turns, reference answers, and the judge's prompts. */
import path from 'node:path'
import type { Message } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import { type Row, readRows, show, wrongRow } from './row-file.ts'

/** A question of two turns. */
export interface MtBenchQuestion {
  id: string
  category: string
  turns: [string, string]
  /** For math, reasoning and coding. */
  reference?: [string, string]
}

interface JudgePrompt {
  system: string
  template: string
}

/** The benchmark: its questions, and the prompts of its judge by name. */
export interface MtBench {
  questions: MtBenchQuestion[]
  prompts: Record<string, JudgePrompt>
}

/** Sampling temperature of answers, by category. Source: MT-Bench. */
const TEMPERATURES: Record<string, number> = {
  writing: 0.7,
  roleplay: 0.7,
  extraction: 0,
  math: 0,
  coding: 0,
  reasoning: 0,
  stem: 0.1,
  humanities: 0.1,
}
const WITH_REFERENCE = ['math', 'reasoning', 'coding']
const PROMPTS = ['single-v1', 'single-math-v1', 'single-v1-multi-turn', 'single-math-v1-multi-turn']

/** Returns the sampling temperature of answers in a category. */
export function temperatureOf(category: string): number {
  return TEMPERATURES[category] ?? 0.7
}

/**
 * Reads `question.jsonl`, `reference-gpt-4.jsonl` and `judge_prompts.jsonl` of a folder.
 * @throws DataError with the wrong row, FileError if a file cannot be read
 */
export async function readMtBench(folder: string): Promise<MtBench> {
  const references = await readReferences(path.join(folder, 'reference-gpt-4.jsonl'))
  const found = await readRows(path.join(folder, 'question.jsonl'))
  const questions = found.rows.map((row, i): MtBenchQuestion => {
    const id = String(row.question_id)
    const category = String(row.category)
    const turns = readTurns(row.turns, (got) =>
      wrongRow(found, i + 1, `expected \`turns\` to be two texts, got ${got}`),
    )
    if (!WITH_REFERENCE.includes(category)) return { id, category, turns }
    const reference = references.get(id)
    if (!reference) throw wrongRow(found, i + 1, `expected a reference answer of question ${id}, got none`)
    return { id, category, turns, reference }
  })
  return { questions, prompts: await readPrompts(path.join(folder, 'judge_prompts.jsonl')) }
}

async function readReferences(file: string): Promise<Map<string, [string, string]>> {
  const found = await readRows(file)
  return new Map(
    found.rows.map((row, i) => {
      const [choice] = Array.isArray(row.choices) ? (row.choices as Row[]) : []
      const wrong = (got: string) =>
        wrongRow(found, i + 1, `expected \`choices[0].turns\` to be two texts, got ${got}`)
      return [String(row.question_id), readTurns(choice?.turns, wrong)]
    }),
  )
}

function readTurns(turns: unknown, wrong: (got: string) => DataError): [string, string] {
  if (Array.isArray(turns) && turns.length === 2 && turns.every((turn) => typeof turn === 'string')) {
    return turns as [string, string]
  }
  throw wrong(show(turns))
}

async function readPrompts(file: string): Promise<Record<string, JudgePrompt>> {
  const { rows } = await readRows(file)
  const prompts = Object.fromEntries(
    rows.map((row) => [
      String(row.name),
      { system: String(row.system_prompt), template: String(row.prompt_template) },
    ]),
  )
  const missing = PROMPTS.find((name) => !prompts[name])
  if (missing)
    throw new DataError(file, undefined, `expected the judge's prompt ${missing}, which is missing`)
  return prompts
}

/** Makes the judge's messages for turn 1 (shown alone) or 2 (shown with the whole dialogue). */
export function gradeMessages(
  { prompts }: Pick<MtBench, 'prompts'>,
  { turns, reference }: MtBenchQuestion,
  answers: string[],
  turn: 1 | 2,
): Message[] {
  const { system, template } = prompts[
    `single${reference ? '-math' : ''}-v1${turn === 2 ? '-multi-turn' : ''}`
  ] as JudgePrompt
  const values: Record<string, string | undefined> = {
    question: turns[0],
    question_1: turns[0],
    question_2: turns[1],
    answer: answers[0],
    answer_1: answers[0],
    answer_2: answers[1],
    ref_answer_1: reference?.[0],
    ref_answer_2: reference?.[1],
  }
  const content = template.replace(/\{(\w+)\}/g, (mark, name: string) => values[name] ?? mark)
  return [
    { role: 'system', content: system },
    { role: 'user', content },
  ]
}

/** Reads a judge's rating, from 1 to 10: `[[7]]`, or else `[7]`; undefined if there is none. */
export function readRating(text: string): number | undefined {
  return inRange(text.match(/\[\[(\d+(?:\.\d+)?)\]\]/) ?? text.match(/\[(\d+(?:\.\d+)?)\]/))
}

/** The request to a judge that wrote no rating. It is not part of the benchmark. */
export const askForRating = 'Now write the rating alone, a number from 1 to 10, in this form: Rating: [[5]]'

/** Reads the rating in the reply to that. The brackets may be missing. */
export function readBareRating(text: string): number | undefined {
  return readRating(text) ?? inRange(text.match(/^\W*(?:rating)?\W*(\d+(?:\.\d+)?)\b/i))
}

function inRange(found: RegExpMatchArray | null): number | undefined {
  const rating = Number(found?.[1])
  return rating >= 1 && rating <= 10 ? rating : undefined
}
