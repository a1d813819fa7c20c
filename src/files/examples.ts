/** Reads the examples of a built folder and checks every line. */
import { z } from 'zod'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { describeWrong } from './file-errors.ts'
import { describeIssue, inWords } from './json-file.ts'
import { listShards } from './list-shards.ts'
import { createLoaderCheck } from './loaders.ts'
import { readMessages } from './messages.ts'
import { readWholeRecords } from './rows/read-records.ts'
import type { Example } from './rows/row.ts'

const example = z.strictObject({
  id: z.string(),
  prompt: z.array(z.unknown()),
  completion: z.tuple([z.strictObject({ role: z.literal('assistant'), content: z.string().min(1) })]),
  source: z.string(),
  proposals: z.array(
    z.strictObject({
      model: z.string(),
      onPolicy: z.boolean(),
      at: z.int().min(0).optional(),
      span: z.tuple([z.int(), z.int()]).optional(),
      trimmedTo: z.int().optional(),
    }),
  ),
  template: z.string(),
})

/** The two sides of a data set. */
export type Split = 'train' | 'validation'

/**
 * The examples of one split, in order.
 * @throws UsageError if the folder has none, DataError with the line that is no example
 */
export async function* readExamples(folder: string, split: Split): AsyncGenerator<Example> {
  for await (const { value } of readPlaces(folder, split)) yield value
}

/** The examples of one split with their places. */
async function* readPlaces(
  folder: string,
  split: Split,
): AsyncGenerator<{ value: Example; file: string; line: number }> {
  const files = listShards(folder, `${split}.jsonl`)
  if (files.length === 0)
    throw new UsageError(`${folder} has no ${split}.jsonl; expected a folder that \`aft data build\` made`)
  for (const file of files) {
    for await (const { value, line } of readWholeRecords(file)) {
      checkExample(value, file, line)
      yield { value, file, line }
    }
  }
}

function checkExample(value: unknown, file: string, line: number): asserts value is Example {
  const result = example.safeParse(value, inWords)
  const issue = result.error?.issues[0]
  if (issue) throw new DataError(file, line, `expected an example; ${describeIssue(issue, value)}`)
  const { prompt } = value as Example
  readMessages(prompt, 'prompt', (expected, got) => new DataError(file, line, describeWrong(expected, got)))
}

/**
 * Reads and checks a whole folder, as the loaders of trainers do too.
 * @returns how many examples each split has, and what a loader would leave out, in words
 * @throws DataError for a broken line, an id that occurs twice, a conversation that is in both splits, or a field with two types
 */
export async function validateFolder(folder: string): Promise<Record<Split, number> & { notes: string[] }> {
  const counts = { train: 0, validation: 0 }
  const loaders = createLoaderCheck()
  const ids = new Set<string>()
  const sides = new Map<string, Split>()
  for (const split of ['train', 'validation'] as const) {
    for await (const { value, file, line } of readPlaces(folder, split)) {
      const { id, prompt, proposals } = value
      counts[split]++
      if (ids.has(id)) throw new DataError(file, line, `has the id "${id}" of an earlier line`)
      ids.add(id)
      loaders.add(value, { file, line })
      const at = proposals[0]?.at
      const turns = JSON.stringify(prompt.filter((m, i) => m.role !== 'system' && i !== at))
      if ((sides.get(turns) ?? split) !== split)
        throw new DataError(file, line, 'its prompt is in train.jsonl too')
      sides.set(turns, split)
    }
  }
  return { ...counts, notes: loaders.notes() }
}
