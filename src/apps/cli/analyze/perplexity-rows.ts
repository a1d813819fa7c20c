/** What `aft analyze perplexity` scores: a built data set, or rows of a source with their targets. */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import {
  casesOfExamples,
  casesOfResponses,
  type ExampleRow,
  type ResponseRow,
  type ScoredCase,
} from '../../../analyze/perplexity.ts'
import { type Message, textOf } from '../../../core/provider/engine.ts'
import { DataError, UsageError } from '../../../core/provider/errors.ts'
import { promptText } from '../../../data/build.ts'
import { findBest } from '../../../data/examine-row.ts'
import { findSource } from '../../../data/sources/sources.ts'
import { readExamples, type Split } from '../../../files/examples.ts'
import { listFiles, readRecords } from '../../../files/rows/read-records.ts'
import type { SourceRow } from '../../../files/rows/row.ts'
import { readTargets } from '../data/target.ts'

export interface RowFlags {
  format: string
  target?: string
  proposals: number
  /** Of target and proposals together. */
  mostChars?: number
}

export interface Cases {
  cases: ScoredCase[]
  /** Template of the prompts, where the data tell it. */
  templates: string[]
  /** Rows by the reason why they are not scored. */
  leftOut: Record<string, number>
}

/** @throws UsageError where there is nothing to score, DataError for a broken record */
export async function readCases(paths: string[], flags: RowFlags): Promise<Cases> {
  const found = flags.format === 'examples' ? await readBuilt(paths, flags) : await readSource(paths, flags)
  if (found.cases.length > 0) return found
  const why = Object.entries(found.leftOut).map(([reason, n]) => `; ${n} left out: ${reason}`)
  throw new UsageError(`${paths.join(', ')}: there is no row to score${why.join('')}`)
}

/** Rows with proposals; those of `sft/` beside them are what is read without. */
async function readBuilt(paths: string[], { target, mostChars = Infinity }: RowFlags): Promise<Cases> {
  const [place, more] = paths
  if (place === undefined || more !== undefined)
    throw new UsageError('expected one folder that `aft data build` made, or one file of it')
  if (target !== undefined)
    throw new UsageError('--target needs a --format with responses; built examples have a target')
  const { folder, split } = locate(place)
  const twins = new Map<string, Message[]>()
  if (existsSync(path.join(folder, 'sft', `${split}.jsonl`))) {
    for await (const { id, prompt } of readExamples(path.join(folder, 'sft'), split)) twins.set(id, prompt)
  }
  const rows: ExampleRow[] = []
  const leftOut: Cases['leftOut'] = {}
  const templates = new Set<string>()
  for await (const { id, prompt, completion, proposals, template } of readExamples(folder, split)) {
    const target = completion[0].content
    const chars = target.length + textOf(prompt[0] as Message).length
    const why = proposals.length === 0 ? 'no proposals' : chars > mostChars && tooLong(mostChars)
    if (why) leftOut[why] = (leftOut[why] ?? 0) + 1
    else rows.push({ id, prompt, target, twin: twins.get(id) })
    templates.add(template)
  }
  return { cases: casesOfExamples(rows), templates: [...templates], leftOut }
}

function locate(place: string): { folder: string; split: Split } {
  const found = statSync(place, { throwIfNoEntry: false })
  if (!found) throw new UsageError(`${place}: there is no such file or folder`)
  if (found.isDirectory()) return { folder: place, split: 'validation' }
  const name = path.basename(place)
  if (name !== 'train.jsonl' && name !== 'validation.jsonl') {
    throw new UsageError(
      `${place}: expected train.jsonl or validation.jsonl of a built folder; other rows need --format`,
    )
  }
  return { folder: path.dirname(place), split: name === 'train.jsonl' ? 'train' : 'validation' }
}

/** The first responses of each row, in the order of the files. Texts stay as they are. */
async function readSource(
  paths: string[],
  { format, target = 'gold', proposals: count, mostChars = Infinity }: RowFlags,
): Promise<Cases> {
  const isFile = target !== 'gold' && target !== 'best'
  if (isFile && !existsSync(target))
    throw new UsageError(
      `--target ${target} is no file; an engine writes targets in \`aft data label\` or \`aft data build\``,
    )
  const targets = isFile ? await readTargets(target) : undefined
  const files = paths
    .flatMap(listFiles)
    .filter((file) => !isFile || path.resolve(file) !== path.resolve(target))
  const source = findSource(format)
  const rows: ResponseRow[] = []
  const leftOut: Cases['leftOut'] = {}
  const leave = (why: string) => {
    leftOut[why] = (leftOut[why] ?? 0) + 1
  }
  for await (const row of source.read(readRecords(files, source))) {
    if ('problem' in row) throw new DataError(row.place, undefined, row.problem)
    const best = target === 'best' ? findBest(row) : undefined
    const text = targets?.get(promptText(row.prompt)) ?? best?.text ?? (isFile ? undefined : row.target)
    const responses = textsOf(row, best?.text, count)
    const chars = responses.reduce((sum, response) => sum + response.length, text?.length ?? 0)
    if (text === undefined || text.trim() === '') leave('no target')
    else if (responses.length < count) leave(`fewer than ${count} responses`)
    else if (chars > mostChars) leave(tooLong(mostChars))
    else rows.push({ prompt: row.prompt, responses, target: text })
  }
  return { cases: casesOfResponses(rows), templates: [], leftOut }
}

const tooLong = (chars: number) => `target and proposals have more than ${chars} characters`

function textsOf({ responses }: SourceRow, target: string | undefined, count: number): string[] {
  const texts = responses.map(({ text }) => text)
  const own = target === undefined ? -1 : texts.indexOf(target)
  return texts.filter((text, i) => i !== own && text.trim() !== '').slice(0, count)
}
