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
  /** The name of the engine that grades. */
  judge: string
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
  /** What the writer of the answer saw; absent in journals of earlier versions. */
  proposals?: string[]
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
  const { questions, planOf, judge, template, engines, judgeMaxTokens = JUDGE_MAX_TOKENS, seed } = run
  const categories = [...new Set(questions.map((q) => q.category))].sort()
  const plans = Object.fromEntries(categories.map((c) => [c, planOf(c)]))
  const header = {
    judge: engines[judge]?.id,
    engines: Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, engine.id])),
    plans,
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
      setup: {
        kind: 'mt-bench',
        engines: Object.keys(engines),
        prompts: run.bench.prompts,
        plans,
        judge,
        judgeMaxTokens,
        askAgain: run.askAgain,
        template,
        seed,
      },
      work: (question, job) => gradeQuestion(question, run, job),
    },
    run,
  )
  const graded = questions.flatMap((question, i) => (ends[i] ? [{ question, ...ends[i] }] : []))
  return { outcome, graded, failures }
}

const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })

/** What the work on a question depends on. */
export type MtBenchWork = Pick<
  MtBenchRun,
  'planOf' | 'engines' | 'judge' | 'judgeMaxTokens' | 'askAgain' | 'template' | 'clock' | 'seed'
> & { bench: Pick<MtBench, 'prompts'> }

/** Answers both turns of a question, and grades them. */
export async function gradeQuestion(
  question: MtBenchQuestion,
  run: MtBenchWork,
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
  { planOf, engines, template, clock }: MtBenchWork,
  { signal }: TaskJob,
): Promise<Turn> {
  const prompt = { id: `${id}:${turn}`, messages }
  const { answer, usage, ms, layers } = await answerPrompt(prompt, planOf(category), {
    engines,
    template,
    clock,
    signal,
  })
  const proposals = layers.at(-2)?.completions.map(({ text }) => text)
  return { answer, ...(proposals && { proposals }), usage, ms }
}

async function gradeTurn(
  question: MtBenchQuestion,
  turn: 1 | 2,
  answers: string[],
  { bench, engines, judge, seed, judgeMaxTokens = JUDGE_MAX_TOKENS, askAgain }: MtBenchWork,
  job: TaskJob,
): Promise<Grade> {
  const say = async (messages: Message[], maxTokens: number): Promise<string> => {
    const { text } = await completeOnce(engines[judge] as Engine, {
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

/** Makes a line of `questions.jsonl` per turn, for a reader: the conversation, the proposals, the answer, the grade. */
export function listTurns(graded: Graded[]): object[] {
  return graded.flatMap(({ question, turns, grades }) =>
    turns.map(({ answer, proposals = [] }, i) => {
      const { rating = null, text = '' } = grades[i] ?? {}
      const before = i === 0 ? [] : [user(question.turns[0]), assistant(turns[0].answer)]
      const prompt = question.turns[i] as string
      return {
        id: `${question.id}:${i + 1}`,
        category: question.category,
        prompt,
        messages: [...before, user(prompt)],
        proposals: proposals.map((text) => ({ text })),
        answers: [
          { control: 'answer', text: answer, scores: rating === null ? {} : { rating }, grade: text },
        ],
      }
    }),
  )
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
