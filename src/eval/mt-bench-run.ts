/** Runs MT-Bench: answers both turns, the second with the first as history, then grades each turn. */
import { answerPrompt } from '../core/aft.ts'
import type { Clock } from '../core/host.ts'
import type { Plan } from '../core/plan.ts'
import type { Engine, Message } from '../core/provider/engine.ts'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import type { UsageTotal } from '../core/provider/usage.ts'
import {
  keepPart,
  runJournaledTask,
  type TaskJob,
  type TaskOutcome,
  type TaskSettings,
} from '../files/task-run.ts'
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

/** Options of a run of MT-Bench. */
export interface MtBenchRun extends TaskSettings {
  bench: MtBench
  questions: MtBenchQuestion[]
  /** The plan of a category. Categories differ in temperature. */
  planOf: (category: string) => Plan
  engines: Record<string, Engine>
  judge: Engine
  /** Most tokens of a grade. */
  judgeMaxTokens?: number
  /** Asks for the rating alone if a grade has none. */
  askAgain?: boolean
  template: Template
  clock: Clock
  seed: number
}

interface Turn {
  answer: string
  usage: UsageTotal
  ms: number
}

interface Grade {
  /** Null if the judge's text has no rating. */
  rating: number | null
  text: string
  /** The judge's reply to the request for the rating alone. */
  reply?: string
}

/** A question with both answers and both grades. */
export interface Graded {
  question: MtBenchQuestion
  turns: [Turn, Turn]
  grades: [Grade, Grade]
}

/** Most tokens of a grade by default. Source: MT-Bench. */
const JUDGE_MAX_TOKENS = 2048
/** Most tokens of a reply with the rating alone. */
export const REPLY_MAX_TOKENS = 16

/** Answers and grades what the journal does not have yet. @throws UsageError and EngineError, as other tasks do */
export async function runMtBench(run: MtBenchRun): Promise<TaskOutcome & { graded: Graded[] }> {
  const { questions, planOf, judge, template, engines, judgeMaxTokens = JUDGE_MAX_TOKENS } = run
  const categories = [...new Set(questions.map((q) => q.category))].sort()
  const header = {
    judge: judge.id,
    engines: Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, engine.id])),
    plans: Object.fromEntries(categories.map((c) => [c, planOf(c)])),
    template: hashTemplate(template),
    ...(judgeMaxTokens !== JUDGE_MAX_TOKENS && { judgeMaxTokens }),
    ...(run.askAgain && { askAgain: true }),
  }
  const { outcome, failures, ends } = await runJournaledTask<MtBenchQuestion, Omit<Graded, 'question'>>(
    {
      task: 'mt-bench',
      header,
      items: questions,
      contentOf: (question) => question,
      work: (question, job) => gradeQuestion(question, run, job),
    },
    run,
  )
  const graded = questions.flatMap((question, i) => (ends[i] ? [{ question, ...ends[i] }] : []))
  return { outcome, graded, failures }
}

const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })

async function gradeQuestion(
  question: MtBenchQuestion,
  run: MtBenchRun,
  job: TaskJob,
): Promise<Omit<Graded, 'question'>> {
  const [one, two] = question.turns
  const first = await keepPart(job, 'turn 1', () => answerTurn(question, 1, [user(one)], run, job))
  const history = [user(one), assistant(first.answer), user(two)]
  const second = await keepPart(job, 'turn 2', () => answerTurn(question, 2, history, run, job))
  const answers = [first.answer, second.answer]
  const grades = await Promise.all([
    gradeTurn(question, 1, answers, run, job),
    gradeTurn(question, 2, answers, run, job),
  ])
  return { turns: [first, second], grades }
}

async function answerTurn(
  { id, category }: MtBenchQuestion,
  turn: 1 | 2,
  messages: Message[],
  { planOf, engines, template, clock }: MtBenchRun,
  { signal }: TaskJob,
): Promise<Turn> {
  const prompt = { id: `${id}:${turn}`, messages }
  const { answer, usage, ms } = await answerPrompt(prompt, planOf(category), {
    engines,
    template,
    clock,
    signal,
  })
  return { answer, usage, ms }
}

async function gradeTurn(
  question: MtBenchQuestion,
  turn: 1 | 2,
  answers: string[],
  { bench, judge, seed, judgeMaxTokens = JUDGE_MAX_TOKENS, askAgain }: MtBenchRun,
  job: TaskJob,
): Promise<Grade> {
  const say = async (messages: Message[], maxTokens: number): Promise<string> => {
    const { text } = await completeOnce(judge, {
      messages,
      sampling: { temperature: 0, maxTokens },
      signal: job.signal,
      seed: hashParts(seed, 'grade', question.id, turn) % 2 ** 31,
    })
    return text
  }
  const messages = gradeMessages(bench, question, answers, turn)
  const first = await keepPart(job, `grade ${turn}`, async (): Promise<Grade> => {
    const text = await say(messages, judgeMaxTokens)
    return { rating: readRating(text) ?? null, text }
  })
  if (first.rating !== null || !askAgain) return first
  const more = [...messages, assistant(first.text), user(askForRating)]
  const reply = await keepPart(job, `reply ${turn}`, () => say(more, REPLY_MAX_TOKENS))
  return { ...first, rating: readBareRating(reply) ?? null, reply }
}

interface MeanRating {
  mean: number
  interval: Interval
  n: number
}

/** Means of the ratings. Null: there is no rating. */
export interface MtBenchTable {
  turn_1: MeanRating | null
  turn_2: MeanRating | null
  /** Over all grades of both turns. */
  both: MeanRating | null
  categories: { category: string; turn_1: number | null; turn_2: number | null; both: number | null }[]
  /** Ratings that the judge wrote only when it was asked for the rating alone. */
  asked_again: number
  /** Grades without a rating. No mean counts them. */
  unreadable: { id: string; turn: number }[]
  answers: {
    calls: number
    input_tokens: number
    output_tokens: number
    seconds: number
    mean_length_chars: number
  }
}

/** Computes mean ratings by turn and category. Intervals resample questions, so that both turns stay together. */
export function tabulateMtBench(graded: Graded[], seed: number): MtBenchTable {
  const ratings = (some: Graded[], turns: number[]) =>
    some.flatMap(({ grades }) => turns.flatMap((t) => grades[t]?.rating ?? []))
  const summary = (turns: number[]): MeanRating | null => {
    const all = ratings(graded, turns)
    if (all.length === 0) return null
    // Each question's share in the mean over all ratings, as a ratio of sums: with a rating missing, it weighs less.
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
      input_tokens: each((t) => t.usage.inputTokens),
      output_tokens: each((t) => t.usage.outputTokens),
      seconds: each((t) => t.ms / 1000),
      mean_length_chars: each((t) => t.answer.length),
    },
  }
}
