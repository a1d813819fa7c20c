/**
 * Answers the same questions with a grid of widths and depths. Points share completions: narrower points take the first
 * proposals of the widest, and shallower points take the first layers of the deepest.
 */
import { answerPrompt } from '../core/aft.ts'
import type { Host } from '../core/host.ts'
import type { Prompt } from '../core/plan.ts'
import { hashTemplate } from '../core/provider/template.ts'
import type { LayerResult, Result } from '../core/result.ts'
import {
  keepPart,
  runJournaledTask,
  type TaskJob,
  type TaskOutcome,
  type TaskSettings,
} from '../files/task-run.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import { bootstrapMean, mean, testPairs } from '../lib/statistics.ts'
import { paperSettings } from '../plans/presets.ts'
import { makePlan, type PlanOptions } from '../plans/strategies.ts'
import { resumeFrom } from '../run/replay.ts'
import { type ControlRow, correct, costOf } from './control-table.ts'
import { answerAt, type ControlAnswer, type ControlHost, toAnswer } from './controls.ts'
import type { Question, Task } from './task.ts'

/** Options of a run over a grid. */
export interface GridRun extends TaskSettings {
  task: Task
  questions: Question[]
  /** Each at least 1. */
  widths: number[]
  /** Each at least 0; depth 0 is one answer. */
  depths: number[]
  /** Of all points. `answerTemperature` is that of the last layer, 0 to 5; `temperature` without it. */
  base: Omit<PlanOptions, 'strategy' | 'width' | 'depth'> & { answerTemperature?: number }
  host: Omit<ControlHost, 'trainedTemplate'>
}

/** Answers of a question by point, such as `3x1`. */
type GridAnswers = Record<string, ControlAnswer>

/** A question with the answers of all points. */
export interface GridAnswered {
  question: Question
  answers: GridAnswers
}

/** Returns the name of a point. Depth 0 is one answer for any width. */
export function pointOf(width: number, depth: number): string {
  return depth === 0 ? '1x0' : `${width}x${depth}`
}

/** Answers what the journal does not have yet. @throws UsageError and EngineError, as other tasks do */
export async function runGrid(run: GridRun): Promise<TaskOutcome & { answered: GridAnswered[] }> {
  const { task, questions, widths, depths, base, host } = run
  const header = {
    widths,
    depths,
    base,
    engines: Object.fromEntries(Object.entries(host.engines).map(([name, engine]) => [name, engine.id])),
    template: hashTemplate(host.template),
  }
  const { outcome, failures, ends } = await runJournaledTask<Question, GridAnswers>(
    {
      task: `scaling ${task.name}`,
      header,
      items: questions,
      contentOf: ({ messages, target }) => [messages, target],
      setup: {
        kind: 'grid',
        engines: Object.keys(host.engines),
        widths,
        depths,
        base,
        template: host.template,
      },
      work: (question, job) => answerGrid(question, run, job),
    },
    run,
  )
  const answered = questions.flatMap((question, i) => (ends[i] ? [{ question, answers: ends[i] }] : []))
  return { outcome, answered, failures }
}

/** Answers one question at all points: the widest first, and in each width the deepest first. */
export async function answerGrid(
  question: Question,
  { widths, depths, base, host }: Pick<GridRun, 'widths' | 'depths' | 'base' | 'host'>,
  job: TaskJob,
): Promise<GridAnswers> {
  const prompt: Prompt = { id: question.id, messages: question.messages }
  const { answerTemperature, ...options } = base
  const answers: GridAnswers = {}
  const deep = [...depths].filter((d) => d > 0).sort((a, b) => b - a)
  const alone: Host = { ...host, signal: job.signal }
  const keep = (name: string, make: () => Promise<Result>): Promise<Kept> =>
    keepPart(job, name, async () => {
      const result = await make()
      return { answer: toAnswer(result), layers: result.layers }
    })
  let proposals: LayerResult | undefined
  for (const width of [...widths].sort((a, b) => b - a)) {
    let layers: LayerResult[] = proposals ? [takeFirst(proposals, width)] : []
    for (const depth of deep) {
      const plan = answerAt(
        makePlan({ ...paperSettings, ...options, strategy: 'aft', width, depth }),
        answerTemperature,
      )
      const given = { ...alone, recorded: layers.slice(0, depth) }
      const kept = await keep(pointOf(width, depth), () => answerPrompt(prompt, plan, given))
      answers[pointOf(width, depth)] = kept.answer
      if (depth === deep[0]) layers = kept.layers
      proposals ??= kept.layers[0]
    }
  }
  if (depths.includes(0)) {
    const plan = makePlan({ ...paperSettings, ...options, strategy: 'single' })
    // The layer is open: if the first proposal failed or repeats itself, one answer is sampled again, as it would be alone.
    const shared = proposals ? [takeFirst(proposals, 1)] : []
    answers['1x0'] = (await keep('1x0', () => answerPrompt(prompt, plan, resumeFrom(alone, shared)))).answer
  }
  return answers
}

interface Kept {
  answer: ControlAnswer
  layers: LayerResult[]
}

function takeFirst({ completions, failures }: LayerResult, width: number): LayerResult {
  return {
    completions: completions.filter((c) => c.index < width),
    failures: failures.filter((f) => f.index < width),
  }
}

/** Makes a row per point, in the form of the controls' table. Points are tested against one answer if the grid has it. */
export async function tabulateGrid(
  task: Task,
  answered: GridAnswered[],
  seed: number,
): Promise<ControlRow[]> {
  const points = Object.keys(answered[0]?.answers ?? {})
  const flat = answered.flatMap(({ question, answers }) =>
    points.map((point) => ({ question, text: (answers[point] as ControlAnswer).text })),
  )
  const scores = await task.score(flat)
  const metric = task.metrics[0] as string
  const series = (point: string, of = metric) =>
    answered.map((_, i) => scores[i * points.length + points.indexOf(point)]?.[of] ?? 0)
  const random = (...of: string[]) => randomFrom(hashParts(seed, 'bootstrap', ...of))
  const rows = points.map((point): ControlRow => {
    const of = answered.map(({ answers }) => answers[point] as ControlAnswer)
    const [width, depth] = point.split('x')
    const hasSingle = point !== '1x0' && points.includes('1x0')
    return {
      control: point,
      title: depth === '0' ? 'one answer' : `width ${width}, depth ${depth}`,
      n: answered.length,
      scores: Object.fromEntries(
        task.metrics.map((name) => {
          const values = series(point, name)
          const interval = bootstrapMean(values, { random: random(point, name) }) ?? { low: 0, high: 0 }
          return [name, { mean: mean(values), interval }]
        }),
      ),
      ...costOf(of),
      mean_length_chars: mean(of.map((answer) => answer.text.length)),
      against_single: hasSingle
        ? testPairs(series('1x0'), series(point), { random: random(point, 'test') })
        : null,
      p_corrected: null,
      against_majority: null,
    }
  })
  correct(rows)
  return rows
}
