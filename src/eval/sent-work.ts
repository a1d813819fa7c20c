/** The work of evaluations on another machine: what `aft work` does for `aft eval --queue`. */
import { z } from 'zod'
import type { Plan } from '../core/plan.ts'
import type { Engine, Message } from '../core/provider/engine.ts'
import { mapEvents } from '../engines/map-events.ts'
import { describeIssue, inWords } from '../files/json-file.ts'
import { parseTaskLine, type TaskJob, type TaskLine, workOnItem } from '../files/task-journal.ts'
import { parseTemplate } from '../files/template-shape.ts'
import { systemClock } from '../run/clock.ts'
import type { RunMeta } from '../run/queue/keys.ts'
import type { ItemJob, SentWork } from '../run/queue/sent-work.ts'
import type { TaskMeta } from '../run/queue/submit-task.ts'
import { answerQuestion } from './control-run.ts'
import type { ControlHost, PlannedControl } from './controls.ts'
import { answerGrid, type GridRun } from './grid-run.ts'
import { judgePair } from './judge-outputs.ts'
import type { MtBenchQuestion } from './mt-bench.ts'
import { gradeQuestion } from './mt-bench-run.ts'
import type { OutputPair } from './outputs.ts'
import type { Question } from './task.ts'

const plan = z.custom<Plan>((value) => Array.isArray((value as Plan | null)?.layers), 'expected a plan')
const template = z.unknown().transform((value) => parseTemplate(value, 'the run'))
const messages = z.array(z.custom<Message>((value) => typeof (value as Message | null)?.role === 'string'))
const question = z.looseObject({ id: z.string(), messages })
const texts = z.array(z.string()).length(2)
const most = z.int().min(1)

/** Does the work on an item with these engines. */
type Work = (item: unknown, engines: Record<string, Engine>, job: TaskJob) => Promise<unknown>

/** The work of each kind, from its setup. They are the same functions that work without a queue. */
const kinds: Record<string, (setup: unknown) => Work> = {
  controls(setup) {
    const shape = z.object({ plans: z.record(z.string(), plan), template, trainedTemplate: template })
    const { plans, ...templates } = shape.parse(setup)
    const planned = new Map(Object.entries(plans)) as Map<PlannedControl, Plan>
    return (item, engines, job) => {
      const host: ControlHost = { ...templates, engines, clock: systemClock }
      return answerQuestion(question.parse(item) as unknown as Question, { plans: planned, host }, job)
    }
  },
  grid(setup) {
    const places = z.array(z.int().min(0).max(999))
    const shape = z.object({ widths: places, depths: places, base: z.looseObject({}), template })
    const { template: wording, widths, depths, base } = shape.parse(setup)
    return (item, engines, job) => {
      const host = { engines, template: wording, clock: systemClock }
      const grid = { widths, depths, base: base as unknown as GridRun['base'], host }
      return answerGrid(question.parse(item) as unknown as Question, grid, job)
    }
  },
  'mt-bench'(setup) {
    const prompts = z.record(z.string(), z.object({ system: z.string(), template: z.string() }))
    const grading = { judge: z.string(), judgeMaxTokens: most, askAgain: z.boolean().optional() }
    const shape = z.object({
      prompts,
      plans: z.record(z.string(), plan),
      ...grading,
      template,
      seed: z.number(),
    })
    const { prompts: wordings, plans, ...more } = shape.parse(setup)
    const planOf = (category: string) => plan.parse(plans[category])
    const item = z.looseObject({ id: z.string(), category: z.string(), turns: texts })
    return (given, engines, job) => {
      const work = { ...more, bench: { prompts: wordings }, planOf, engines, clock: systemClock }
      return gradeQuestion(item.parse(given) as unknown as MtBenchQuestion, work, job)
    }
  },
  'alpaca-eval'(setup) {
    const wording = z.object({ id: z.string(), sha256: z.string(), messages })
    const work = z.object({ judge: z.string(), template: wording, seed: z.number() }).parse(setup)
    const item = z.looseObject({ instruction: z.string(), output: z.string(), baseline: z.string() })
    return (given, engines, { signal }) =>
      judgePair(item.parse(given) as unknown as OutputPair, { ...work, engines }, signal)
  },
}

/** Reads the work of an evaluation; undefined if the run is none. @throws Error that says what was expected */
export function readTaskWork(meta: RunMeta, place: string): SentWork | undefined {
  const { setup } = meta as Partial<TaskMeta>
  if (setup === undefined) return undefined
  const { success, data, error } = z
    .looseObject({ kind: z.enum(Object.keys(kinds)), engines: z.array(z.string()).min(1).max(100) })
    .safeParse(setup, inWords)
  if (!success)
    throw new Error(`${place}: ${error.issues[0] ? describeIssue(error.issues[0], setup) : 'wrong'}`)
  const work = (kinds[data.kind] as (setup: unknown) => Work)(setup)
  return {
    engines: data.engines,
    active: (places) => places,
    readLine: (text) => parseTaskLine(JSON.parse(text)),
    work(item, { engines, onEvent, onCompletion, ...job }: ItemJob<object>) {
      const watched = Object.entries(engines).map(([name, engine]) => [
        name,
        mapEvents(engine, (event) => {
          if (event.type === 'completion-end') onCompletion()
          if (event.type === 'completion-waiting') onEvent({ ...event, engine: name, layer: 0 })
          return event
        }),
      ])
      return workOnItem({ ...(job as ItemJob<TaskLine>), key: item.id }, (own) =>
        work(item, Object.fromEntries(watched), own),
      )
    },
  }
}
