/** The prompts of a run, and their lines, as a queue has them. */
import { hash } from 'node:crypto'
import type { Host } from '../../core/host.ts'
import { countCompletions, enginesOf, type Plan } from '../../core/plan.ts'
import type { Template } from '../../core/provider/template.ts'
import { type HeaderRecord, parseRecord } from '../../files/journal-records.ts'
import type { PromptLine } from '../../files/run-journal.ts'
import { parseTemplate } from '../../files/template-shape.ts'
import { answerRow } from '../answer-row.ts'
import { systemClock } from '../clock.ts'
import type { RunRow } from '../given.ts'
import { createPriority } from '../priority.ts'
import type { RunMeta } from './keys.ts'
import type { ItemJob, LineRules, SentWork } from './sent-work.ts'

/** What workers have to know of a run. */
export interface PromptsMeta extends RunMeta {
  header: HeaderRecord
  template: Template
}

/** How the submitter of a run treats its lines. */
export function runLines({ plan }: HeaderRecord): LineRules<PromptLine> {
  return {
    isPossible: (line) => line.type !== 'prompt' && !('layer' in line && line.layer > plan.layers.length),
    endWith: (prompt, error) => ({ type: 'answer', prompt, error }),
    /** A sample is made once. Other lines are the same only if they are equal. */
    identityOf(line) {
      if (line.type === 'completion') return `completion ${line.layer} ${line.index} ${line.seed}`
      return hash('sha1', JSON.stringify(line))
    },
  }
}

/** What a worker does for a run. @throws DataError or Error that says what was expected */
export function readRunWork(meta: RunMeta, place: string): SentWork {
  const header = parseRecord(meta.header)
  if (header.type !== 'header') throw new Error(`${place}: expected the header of a journal`)
  const { plan } = header
  const template = parseTemplate((meta as Partial<PromptsMeta>).template, place)
  return {
    engines: enginesOf(plan),
    active: (places) => activePrompts(plan, places),
    readLine,
    work: (item, job) => answerPromptOf(readPrompt(item), { plan, template }, job as ItemJob<PromptLine>),
  }
}

function answerPromptOf(
  row: RunRow,
  { plan, template }: { plan: Plan; template: Template },
  { engines, active, onEvent, onCompletion, ...job }: ItemJob<PromptLine>,
) {
  const priorityOf = createPriority(Number.POSITIVE_INFINITY, active)
  const host: Pick<Host, 'engines' | 'template' | 'clock' | 'priority'> = {
    engines,
    template,
    clock: systemClock,
    priority: (layer) => priorityOf(job.position, layer),
  }
  const record = (line: PromptLine) => {
    if (line.type === 'completion') onCompletion()
    job.record(line)
  }
  return answerRow(row, plan, host, { ...job, key: row.id, record }, onEvent)
}

/** Reads a line that a worker sent. @throws Error that says what was expected */
export function readLine(text: string): PromptLine {
  const record = parseRecord(JSON.parse(text))
  if (record.type === 'header') throw new Error('expected a line of a prompt, got a header')
  return record
}

/** Reads a prompt. @throws Error that says what was expected */
export function readPrompt(item: object): RunRow {
  parseRecord({ ...item, type: 'prompt' })
  return item as RunRow
}

/**
 * Prompts at a time that keep so many places busy. A prompt has on average `completions / layers` under way; with twice
 * as many prompts as that takes, no place waits while others have their last, narrow layer.
 */
export function activePrompts(plan: Plan, places: number): number {
  return Math.max(2, Math.ceil((2 * places * plan.layers.length) / countCompletions(plan)))
}
