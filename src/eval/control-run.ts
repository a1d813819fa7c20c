/** Every question of a task through every control, into one journal that survives its process. */
import { createHash } from 'node:crypto'
import type { Plan } from '../core/plan.ts'
import { hashTemplate } from '../core/templates.ts'
import { endOf, openTaskJournal, runTask, type TaskJob, type TaskProgress } from '../files/task-journal.ts'
import {
  type Aggregated,
  aggregate,
  answerControl,
  type ControlAnswer,
  type ControlHost,
  type PlannedControl,
  type Proposals,
} from './controls.ts'
import type { Question } from './task.ts'

export interface ControlRun {
  task: string
  questions: Question[]
  plans: Map<PlannedControl, Plan>
  host: ControlHost
  journal: string
  restart?: boolean
  /** Questions at work at a time. */
  active: number
  version: string
  signal?: AbortSignal
  onProgress?: (progress: TaskProgress) => void
}

/** What a question's controls answered. */
export interface Answered {
  question: Question
  proposals: Proposals
  answers: Partial<Record<PlannedControl, ControlAnswer>>
}

export interface RunControls {
  outcome: 'done' | 'interrupted' | 'held'
  answered: Answered[]
  failures: { id: string; error: { kind: string; message: string } }[]
}

/**
 * Answers what the journal does not hold yet. A question counts where every control answered it.
 * @throws UsageError where the journal was begun with other settings, EngineError where an engine cannot work at all
 */
export async function runControls(run: ControlRun): Promise<RunControls> {
  const { questions, active, signal, onProgress } = run
  const journal = await openTaskJournal(run.journal, headerOf(run), { restart: run.restart })
  try {
    const items = questions.map((question) => ({ id: question.id, digest: digest(question), question }))
    const work = ({ question }: (typeof items)[number], job: TaskJob) => answerQuestion(question, run, job)
    const { outcome, failures } = await runTask({ journal, items, active, work, signal, onProgress })
    const answered = questions.flatMap((question) => {
      const end = endOf(journal, question.id) as Omit<Answered, 'question'> | undefined
      return end ? [{ question, ...end }] : []
    })
    return { outcome, answered, failures }
  } finally {
    journal.close()
  }
}

function headerOf({ task, plans, host, version }: ControlRun) {
  const { engines, template, trainedTemplate } = host
  const ids = Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, engine.id]))
  return {
    type: 'header' as const,
    task,
    version: 1,
    aft: version,
    plans: Object.fromEntries(plans),
    engines: ids,
    template: hashTemplate(template),
    trainedTemplate: hashTemplate(trainedTemplate),
  }
}

function digest({ messages, target }: Question): string {
  return createHash('sha256')
    .update(JSON.stringify([messages, target]))
    .digest('hex')
    .slice(0, 16)
}

/** The aggregation first, then the others at once. Each is kept as soon as it is there. */
async function answerQuestion(
  question: Question,
  { plans, host }: ControlRun,
  { parts, record, signal }: TaskJob,
): Promise<Omit<Answered, 'question'>> {
  const prompt = { id: question.id, messages: question.messages }
  const keep = async <T>(name: string, make: () => Promise<T>): Promise<T> => {
    if (parts.has(name)) return parts.get(name) as T
    const value = await make()
    record(name, value)
    return value
  }
  const plan = plans.get('aggregated') as Plan
  const { answer, proposals } = await keep<Aggregated>('aggregated', () =>
    aggregate(prompt, plan, host, signal),
  )
  const others = [...plans].filter(([name]) => name !== 'aggregated')
  const answers = await Promise.all(
    others.map(async ([name, plan]) => {
      const over = { plan, proposals: proposals.completions }
      return [name, await keep(name, () => answerControl(name, prompt, over, host, signal))] as const
    }),
  )
  return { proposals, answers: { aggregated: answer, ...Object.fromEntries(answers) } }
}
