/**
 * What the lines of a run's journal mean: the prompts, the attempt of each that counts, and what its answer was made
 * from. Imports nothing at run time, so that the page reads journals with it too.
 */
import type { Message } from '../core/provider/engine.ts'
import type { Completion, Failure } from '../core/provider/records.ts'
import type { LayerResult } from '../core/result.ts'
import type {
  AnswerRecord,
  CompletionRecord,
  FailureRecord,
  HeaderRecord,
  JournalRecord,
  LayerRecord,
  UsageRecord,
} from './journal-records.ts'

/** One layer of a prompt. It is open until it has `shown`; then it is closed, and deeper layers may be built on it. */
export interface JournalLayer extends LayerResult {
  /** Members that the next layer is shown. */
  shown?: number[]
}

/** A prompt with the layers of its last attempt: what an earlier, failed attempt left does not count. */
export interface JournalPrompt {
  id: string
  messages: Message[]
  layers: JournalLayer[]
  /** How the attempt ended; absent while it is open. */
  end?: AnswerRecord
}

/** A journal that is read line by line; prompts by id, in the order of the file. */
export interface JournalPrompts {
  header?: HeaderRecord
  prompts: Map<string, JournalPrompt>
}

/** Makes an empty `JournalPrompts`, before the first line. */
export function createJournalPrompts(): JournalPrompts {
  return { prompts: new Map() }
}

/** Takes the next line. Returns its prompt; undefined for a header, or if no earlier line has this prompt. */
export function takeRecord(journal: JournalPrompts, record: JournalRecord): JournalPrompt | undefined {
  if (record.type === 'header') {
    journal.header = record
    return undefined
  }
  if (record.type === 'prompt') {
    const { id, messages } = record
    const prompt: JournalPrompt = { id, messages, layers: [] }
    journal.prompts.set(id, prompt)
    return prompt
  }
  const prompt = journal.prompts.get(record.prompt)
  if (!prompt) return undefined
  if (record.type === 'answer') prompt.end = record
  else {
    if (prompt.end) beginAttempt(prompt)
    takePart(prompt.layers, record)
  }
  return prompt
}

function beginAttempt(prompt: JournalPrompt): void {
  prompt.layers = []
  prompt.end = undefined
}

/** A line of a prompt that has not ended. */
export type PartRecord = CompletionRecord | FailureRecord | UsageRecord | LayerRecord

/**
 * Adds a line to the layers of an attempt. It replaces an earlier failure of the same sample at the same engine. A member
 * has two completions if the first one repeats itself and another seed was tried.
 */
export function takePart(layers: JournalLayer[], record: PartRecord): void {
  while (layers.length <= record.layer) layers.push({ completions: [], failures: [] })
  const layer = layers[record.layer] as JournalLayer
  if (record.type === 'layer') {
    layer.shown = record.shown
    return
  }
  const { index, engine, seed } = record
  const isSame = (made: Completion | Failure) => made.index === index && made.seed === seed
  if (record.type === 'usage') {
    const { completion, usage } = record
    layer.completions = layer.completions.map((made) => {
      return isSame(made) ? (completion ?? { ...made, usage }) : made
    })
    return
  }
  layer.failures = layer.failures.filter((made) => !isSame(made) || made.engine !== engine)
  if (record.type === 'failure') layer.failures.push(withoutPlace(record))
  else {
    layer.completions = layer.completions.filter((made) => !isSame(made))
    layer.completions.push(withoutPlace(record))
  }
}

function withoutPlace<T extends CompletionRecord | FailureRecord>(
  record: T,
): Omit<T, 'type' | 'prompt' | 'layer'> {
  const { type, prompt, layer, ...made } = record
  return made
}

/**
 * Finds the completion that became the answer, with its layer: the last one that has the answer's text.
 * @param depth number of layers of the plan. A judge's layer comes after them and has no answer
 */
export function findAnswer(
  { layers, end }: Pick<JournalPrompt, 'layers' | 'end'>,
  depth = layers.length,
): { layer: number; completion: Completion } | undefined {
  if (!end || !('answer' in end)) return undefined
  for (let layer = Math.min(depth, layers.length) - 1; layer >= 0; layer--) {
    const completion = layers[layer]?.completions
      .toSorted((a, b) => a.index - b.index)
      .find(({ text }) => text === end.answer)
    if (completion) return { layer, completion }
  }
  return undefined
}

/**
 * The proposals that the answer's aggregator was shown, in that order. None if nothing was aggregated: the answer is
 * then one of the first layer's completions.
 */
export function findShown(prompt: JournalPrompt, depth?: number): Completion[] {
  const answer = findAnswer(prompt, depth)
  if (!answer || answer.layer === 0) return []
  const before = prompt.layers.slice(0, answer.layer).findLast(isUsed)
  if (!before) return []
  const shown = answer.completion.saw ?? before.shown ?? before.completions.map(({ index }) => index)
  return shown.flatMap((index) => before.completions.find((made) => made.index === index) ?? [])
}

/** A layer that gave nothing usable is skipped: the next is shown what that one was shown. */
function isUsed({ completions, shown }: JournalLayer): boolean {
  return shown ? shown.length > 0 : completions.some(({ excluded }) => !excluded)
}
