/** Reads a journal file in the browser. The file is sent nowhere. */

import type { Plan } from '../../../core/plan.ts'
import {
  createJournalPrompts,
  findAnswer,
  type JournalPrompt,
  type JournalPrompts,
  takeRecord,
} from '../../../files/journal-prompts.ts'
import type { JournalRecord } from '../../../files/journal-records.ts'
import { newRun, questionOf, type Turn, viewLayer } from './run.ts'

/** A journal on the page. */
export interface Journal {
  name: string
  strategy?: string
  seed?: number
  turns: Turn[]
  /** Number of lines that are not journal records. */
  badLines: number
  /** Scores of the answers by prompt, if an evaluation gave some. */
  scores?: Record<string, number>
  /** What a judge wrote of the answers, by prompt. */
  grades?: Record<string, string>
}

/**
 * Reads prompts in the order of the file, with their results. Torn and foreign lines are counted and skipped.
 * @throws Error if no line belongs to a journal
 */
export function readJournal(name: string, text: string): Journal {
  const { header, prompts, badLines } = readPrompts(name, text)
  const plan = header?.plan
  return {
    name,
    strategy: plan?.strategy,
    seed: plan?.seed,
    turns: [...prompts.values()].map((prompt) => toTurn(prompt, plan?.layers.length, plan)),
    badLines,
  }
}

/** Reads the lines of a journal. @throws Error if no line belongs to a journal */
export function readPrompts(name: string, text: string): JournalPrompts & { badLines: number } {
  const journal = createJournalPrompts()
  let badLines = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const record = parse(line)
    if (record) take(record, journal)
    else badLines++
  }
  if (journal.prompts.size === 0)
    throw new Error(`${name} is neither a journal nor an evaluation result: it holds no prompt`)
  return { ...journal, badLines }
}

const types = ['header', 'prompt', 'completion', 'failure', 'layer', 'answer']

function parse(line: string): JournalRecord | undefined {
  try {
    const value = JSON.parse(line)
    return types.includes(value?.type) ? value : undefined
  } catch {
    return undefined
  }
}

const MAX_LAYERS = 1_000

/** Takes a record. If the line of its prompt is missing, it gets an empty prompt. */
function take(record: JournalRecord, journal: JournalPrompts): void {
  if (record.type === 'header') takeRecord(journal, record)
  else if (record.type === 'prompt') {
    const messages = Array.isArray(record.messages) ? record.messages : []
    takeRecord(journal, { ...record, id: String(record.id), messages })
  } else {
    const prompt = String(record.prompt)
    if ('layer' in record && !(record.layer >= 0 && record.layer < MAX_LAYERS)) return
    if (!journal.prompts.has(prompt)) takeRecord(journal, { type: 'prompt', id: prompt, messages: [] })
    takeRecord(journal, { ...record, prompt })
  }
}

/**
 * Makes the turn of a prompt.
 * @param depth number of layers of the plan; a judge's layer comes after them
 */
export function toTurn(prompt: JournalPrompt, depth = 0, plan?: Partial<Plan>): Turn {
  const { id, messages, layers, end } = prompt
  const run = newRun()
  run.layers = layers.map((layer, i) => ({ ...viewLayer(layer, i === depth - 1), shown: layer.shown }))
  run.state = 'stopped'
  Object.assign(run, { seed: plan?.seed, strategy: plan?.strategy, template: plan?.template })
  if (end && 'answer' in end && typeof end.answer === 'string') {
    run.state = 'done'
    run.answer = end.answer
    run.degradedBecause = Array.isArray(end.degradedBecause) ? end.degradedBecause.map(String) : []
    run.usage = end.usage
    run.ms = end.ms
    run.from = placeOf(prompt, depth || undefined)
  } else if (end) {
    run.state = 'failed'
    const error = 'error' in end ? end.error : undefined
    run.error = String(error?.message ?? 'there is no answer')
  }
  return { id, messages, question: questionOf(messages), run }
}

function placeOf(prompt: JournalPrompt, depth?: number): { layer: number; index: number } | undefined {
  const found = findAnswer(prompt, depth)
  return found && { layer: found.layer, index: found.completion.index }
}
