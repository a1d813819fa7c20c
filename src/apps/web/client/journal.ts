/** A journal file, read in the browser: nothing of it leaves the page. */

import type { Plan } from '../../../core/plan.ts'
import type { Message } from '../../../core/provider/engine.ts'
import type { Completion, Failure } from '../../../core/result.ts'
import type { JournalRecord } from '../../../files/journal-records.ts'
import { newRun, questionOf, type Turn, viewLayer } from './run.ts'

export interface Journal {
  name: string
  strategy?: string
  seed?: number
  turns: Turn[]
  /** Lines that are none of a journal. */
  badLines: number
}

interface Collected {
  messages: Message[]
  layers: { completions: Completion[]; failures: Failure[] }[]
  shown: number[][]
  end?: Record<string, unknown>
}

/**
 * Prompts in the order of the file, with what became of them. Torn and foreign lines are counted and passed over.
 * @throws Error where no line is a journal's
 */
export function readJournal(name: string, text: string): Journal {
  const prompts = new Map<string, Collected>()
  let plan: Plan | undefined
  let badLines = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const record = parse(line)
    if (record?.type === 'header') plan = record.plan
    else if (record) take(record, prompts)
    else badLines++
  }
  if (prompts.size === 0) throw new Error(`${name} is no journal: no line of it holds a prompt`)
  const last = (plan?.layers.length ?? 0) - 1
  return {
    name,
    strategy: plan?.strategy,
    seed: plan?.seed,
    turns: [...prompts].map(([id, collected]) => toTurn(id, collected, last)),
    badLines,
  }
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

function take(record: Exclude<JournalRecord, { type: 'header' }>, prompts: Map<string, Collected>): void {
  const id = String(record.type === 'prompt' ? record.id : record.prompt)
  const of = prompts.get(id) ?? { messages: [], layers: [], shown: [] }
  prompts.set(id, of)
  if (record.type === 'prompt') of.messages = Array.isArray(record.messages) ? record.messages : []
  else if (record.type === 'answer') of.end = record as unknown as Record<string, unknown>
  else if (record.type === 'layer') of.shown[record.layer] = record.shown
  else if (record.layer >= 0 && record.layer < 1_000) {
    while (of.layers.length <= record.layer) of.layers.push({ completions: [], failures: [] })
    const layer = of.layers[record.layer] as Collected['layers'][number]
    if (record.type === 'failure') layer.failures.push(record)
    else layer.completions.push(record)
  }
}

function toTurn(id: string, { messages, layers, shown, end }: Collected, last: number): Turn {
  const run = newRun()
  run.layers = layers.map((layer, i) => ({ ...viewLayer(layer, i === last), shown: shown[i] }))
  run.state = 'stopped'
  if (typeof end?.answer === 'string') {
    run.state = 'done'
    run.answer = end.answer
    run.degradedBecause = Array.isArray(end.degradedBecause) ? end.degradedBecause.map(String) : []
    run.usage = end.usage as typeof run.usage
    run.ms = end.ms as number
    run.from = findAnswer(run.layers, end.answer)
  } else if (end) {
    run.state = 'failed'
    run.error = String((end.error as { message?: string } | undefined)?.message ?? 'there is no answer')
  }
  return { id, messages, question: questionOf(messages), run }
}

function findAnswer(layers: Turn['run']['layers'], answer: string) {
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    const index = layers[layer]?.members.find((member) => member.text === answer)?.index
    if (index !== undefined) return { layer, index }
  }
  return undefined
}
