/** MT-Bench: both turns answered with the answers as history, then graded one by one. */
import { createHash } from 'node:crypto'
import { answerPrompt } from '../core/aft.ts'
import type { Clock } from '../core/host.ts'
import type { Plan } from '../core/plan.ts'
import type { Engine, Message } from '../core/provider/engine.ts'
import { hashTemplate, type Template } from '../core/templates.ts'
import type { UsageTotal } from '../core/usage.ts'
import { endOf, openTaskJournal, runTask, type TaskJob, type TaskProgress } from '../files/task-journal.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import { bootstrapMean, type Interval, mean } from '../lib/statistics.ts'
import { completeOnce } from './complete.ts'
import {
  askForRating,
  gradeMessages,
  type MtBench,
  type MtBenchQuestion,
  readBareRating,
  readRating,
} from './mt-bench.ts'

export interface MtBenchRun {
  bench: MtBench
  questions: MtBenchQuestion[]
  /** By category: temperatures differ. */
  planOf: (category: string) => Plan
  engines: Record<string, Engine>
  judge: Engine
  /** Most tokens of a grade. */
  judgeMaxTokens?: number
  /** Ask for the rating alone where a grade holds none. */
  askAgain?: boolean
  template: Template
  clock: Clock
  journal: string
  restart?: boolean
  active: number
  version: string
  seed: number
  signal?: AbortSignal
  onProgress?: (progress: TaskProgress) => void
}

interface Turn {
  answer: string
  usage: UsageTotal
  ms: number
}

interface Grade {
  /** Null where the judge's text holds none. */
  rating: number | null
  text: string
  /** The reply when asked for the rating alone. */
  reply?: string
}

export interface Graded {
  question: MtBenchQuestion
  turns: [Turn, Turn]
  grades: [Grade, Grade]
}

/** Source: MT-Bench. */
const JUDGE_MAX_TOKENS = 2048
/** Of a rating alone. */
export const REPLY_MAX_TOKENS = 16

/** Answers and grades what the journal does not hold yet. @throws UsageError, EngineError as other tasks do */
export async function runMtBench(run: MtBenchRun): Promise<{
  outcome: 'done' | 'interrupted' | 'held'
  graded: Graded[]
  failures: { id: string; error: { kind: string; message: string } }[]
}> {
  const { questions, planOf, judge, template, version, engines, active, signal, onProgress } = run
  const { judgeMaxTokens = JUDGE_MAX_TOKENS } = run
  const categories = [...new Set(questions.map((q) => q.category))].sort()
  const ids = Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, engine.id]))
  const header = {
    type: 'header' as const,
    task: 'mt-bench',
    version: 1,
    aft: version,
    judge: judge.id,
    engines: ids,
    plans: Object.fromEntries(categories.map((c) => [c, planOf(c)])),
    template: hashTemplate(template),
    ...(judgeMaxTokens !== JUDGE_MAX_TOKENS && { judgeMaxTokens }),
    ...(run.askAgain && { askAgain: true }),
  }
  const journal = await openTaskJournal(run.journal, header, { restart: run.restart })
  try {
    const items = questions.map((question) => ({ id: question.id, digest: digest(question), question }))
    const work = ({ question }: (typeof items)[number], job: TaskJob) => gradeQuestion(question, run, job)
    const { outcome, failures } = await runTask({ journal, items, active, work, signal, onProgress })
    const graded = questions.flatMap((question) => {
      const end = endOf(journal, question.id) as Omit<Graded, 'question'> | undefined
      return end ? [{ question, ...end }] : []
    })
    return { outcome, graded, failures }
  } finally {
    journal.close()
  }
}

function digest(question: MtBenchQuestion): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('hex').slice(0, 16)
}

async function gradeQuestion(
  question: MtBenchQuestion,
  run: MtBenchRun,
  { parts, record, signal }: TaskJob,
): Promise<Omit<Graded, 'question'>> {
  const { planOf, engines, template, clock, bench, judge, seed } = run
  const { judgeMaxTokens = JUDGE_MAX_TOKENS, askAgain } = run
  const user = (content: string): Message => ({ role: 'user', content })
  const keep = async <T>(name: string, make: () => Promise<T>): Promise<T> => {
    if (parts.has(name)) return parts.get(name) as T
    const value = await make()
    record(name, value)
    return value
  }
  const ask = async (turn: number, messages: Message[]): Promise<Turn> => {
    const prompt = { id: `${question.id}:${turn}`, messages }
    const plan = planOf(question.category)
    const { answer, usage, ms } = await answerPrompt(prompt, plan, { engines, template, clock, signal })
    return { answer, usage, ms }
  }
  const say = async (turn: number, messages: Message[], maxTokens: number): Promise<string> => {
    const { text } = await completeOnce(judge, {
      messages,
      sampling: { temperature: 0, maxTokens },
      signal,
      seed: hashParts(seed, 'grade', question.id, turn) % 2 ** 31,
    })
    return text
  }
  const grade = async (answers: string[], turn: 1 | 2): Promise<Grade> => {
    const messages = gradeMessages(bench, question, answers, turn)
    const first = await keep(`grade ${turn}`, async (): Promise<Grade> => {
      const text = await say(turn, messages, judgeMaxTokens)
      return { rating: readRating(text) ?? null, text }
    })
    if (first.rating !== null || !askAgain) return first
    const more = [...messages, { role: 'assistant' as const, content: first.text }, user(askForRating)]
    const reply = await keep(`reply ${turn}`, () => say(turn, more, REPLY_MAX_TOKENS))
    return { ...first, rating: readBareRating(reply) ?? null, reply }
  }
  const [one, two] = question.turns
  const first = await keep('turn 1', () => ask(1, [user(one)]))
  const second = await keep('turn 2', () =>
    ask(2, [user(one), { role: 'assistant', content: first.answer }, user(two)]),
  )
  const answers = [first.answer, second.answer]
  const grades = await Promise.all([grade(answers, 1), grade(answers, 2)])
  return { turns: [first, second], grades }
}

interface MeanRating {
  mean: number
  interval: Interval
  n: number
}

export interface MtBenchTable {
  turn_1: MeanRating | null
  turn_2: MeanRating | null
  /** Over all grades of both turns. */
  both: MeanRating | null
  categories: { category: string; turn_1: number | null; turn_2: number | null; both: number | null }[]
  /** Ratings that were only written when asked for alone. */
  asked_again: number
  /** Grades without a rating: in no mean. */
  unreadable: { id: string; turn: number }[]
  answers: {
    calls: number
    prompt_tokens: number
    generated_tokens: number
    seconds: number
    mean_length_chars: number
  }
}

/** Means of ratings, by turn and category. Intervals resample questions, whose two turns go together. */
export function tabulateMtBench(graded: Graded[], seed: number): MtBenchTable {
  const ratings = (some: Graded[], turns: number[]) =>
    some.flatMap(({ grades }) => turns.flatMap((t) => grades[t]?.rating ?? []))
  const summary = (turns: number[]): MeanRating | null => {
    const all = ratings(graded, turns)
    if (all.length === 0) return null
    // A question's part in the mean over all ratings, as a ratio of sums has it: one that lacks a rating weighs less.
    const lists = graded.map((one) => ratings([one], turns)).filter((list) => list.length > 0)
    const total = mean(all)
    const off = (list: number[]) => list.reduce((sum, rating) => sum + rating - total, 0)
    const each = lists.map((list) => total + (off(list) * lists.length) / all.length)
    const random = randomFrom(hashParts(seed, 'bootstrap', ...turns))
    const interval = bootstrapMean(each, { random })
    return interval ? { mean: total, interval, n: all.length } : null
  }
  const average = (values: number[]) => (values.length > 0 ? mean(values) : null)
  const categories = [...new Set(graded.map((g) => g.question.category))].map((category) => {
    const own = graded.filter((g) => g.question.category === category)
    const of = (...turns: number[]) => average(ratings(own, turns))
    return { category, turn_1: of(0), turn_2: of(1), both: of(0, 1) }
  })
  const turns = graded.flatMap((g) => g.turns)
  const each = (pick: (turn: Turn) => number) => average(turns.map(pick)) ?? 0
  return {
    turn_1: summary([0]),
    turn_2: summary([1]),
    both: summary([0, 1]),
    categories,
    asked_again: graded
      .flatMap((one) => one.grades)
      .filter(({ rating, reply }) => rating !== null && reply !== undefined).length,
    unreadable: graded.flatMap(({ question, grades }) =>
      grades.flatMap(({ rating }, i) => (rating === null ? [{ id: question.id, turn: i + 1 }] : [])),
    ),
    answers: {
      calls: each((t) => t.usage.calls),
      prompt_tokens: each((t) => t.usage.inputTokens),
      generated_tokens: each((t) => t.usage.outputTokens),
      seconds: each((t) => t.ms / 1000),
      mean_length_chars: each((t) => t.answer.length),
    },
  }
}
