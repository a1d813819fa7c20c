/** Makes the table of controls: scores with intervals, the cost of each control, and what aggregation changed. */

import { bootstrapCrossed, type Crossed, meansOfItems, testCrossed } from '../lib/crossed.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import { correctHolm, type Interval, mean, type PairedTest } from '../lib/statistics.ts'
import type { Answered, RunControls } from './control-run.ts'
import {
  type ControlAnswer,
  type ControlName,
  controlNames,
  controlTitles,
  type PlannedControl,
  pickedFrom,
} from './controls.ts'
import { type Copied, findCopied } from './copied.ts'
import type { Scores, Task, Vote } from './task.ts'

/** One row of the table. Calls, tokens, seconds and dollars are means per question. */
export interface ControlRow {
  /** A control, or a point of a grid. */
  control: string
  title: string
  n: number
  scores: Record<string, { mean: number; interval: Interval }>
  completions: number
  calls: number
  input_tokens: number
  /** Null if an engine does not report it. */
  prefilled_tokens: number | null
  output_tokens: number
  seconds: number
  cost: number | null
  mean_length_chars: number
  degraded: number
  /** Compared with one answer, on the first metric. Null for an oracle: it cannot be worse than its first proposal. */
  against_single: PairedTest | null
  /** The p value of that test, corrected for all tests of the column (Holm); null without a test. */
  p_corrected: number | null
  /** Compared with the majority, on the first metric. */
  against_majority: PairedTest | null
}

/** How the answers differ from the proposals, on the first metric. Counts are numbers of questions. */
export interface Changes {
  control: ControlName
  /** All proposals were wrong, and the answer is right. */
  rescued: number
  /** All proposals were right, and the answer is wrong. */
  broke: number
  /** Some proposals were right: `kept` counts right answers, `lost` wrong ones. */
  kept: number
  lost: number
  all_right: number
  all_wrong: number
  /** Mean share of the answer's word 4-grams that some proposal has. */
  copy_rate: number
  /** By place: the share of questions in which the proposal at this place is most similar to the answer. */
  position: number[]
}

/** The table of all controls, and what aggregation changed. */
export interface ControlTable {
  rows: ControlRow[]
  changes: Changes[]
  /** Mean similarity of the proposals, 0 to 1. */
  agreement: number
  /** By place: the share of the judge's picks; null if there are no picks. */
  judge_position: number[] | null
  /** One per question. */
  questions: QuestionScores[]
}

/** One question with its texts and scores. With several seeds there is one per seed. */
export interface QuestionScores {
  id: string
  /** Under a seed that is not the first: the question's own id, and how far the seed is from the first. */
  question?: string
  seed?: number
  prompt: string
  proposals: { text: string; score: number }[]
  /** Proposals beyond those that the aggregation saw, for the controls with as many completions as it has. */
  more_proposals?: { text: string; score: number }[]
  answers: { control: ControlName; text: string; scores: Scores; copied?: Copied }[]
}

/** Scores every answer and makes the table. The seed is for the bootstrap. */
export async function tabulate(
  task: Task,
  { answered, controls = [...controlNames] }: Pick<RunControls, 'answered' | 'controls'>,
  seed: number,
): Promise<ControlTable> {
  const metric = task.metrics[0] as string
  const scored = (await scoreAll(task, answered)).map((q) => ({
    ...q,
    answers: q.answers.filter((a) => controls.includes(a.control)),
  }))
  const names = controlNames.filter(
    (name) => !isEmpty(name, task, scored) && scored.every((q) => q.answers.some((a) => a.control === name)),
  )
  const questions = [...new Set(scored.map(questionOf))]
  const bySeed = [...Map.groupBy(scored, (q) => q.seed ?? 0).values()].map(
    (list) => new Map(list.map((q) => [questionOf(q), q])),
  )
  const series = (name: ControlName, of = metric): Crossed =>
    bySeed.map((seed) =>
      questions.map((question) => seed.get(question) && scoreOf(seed.get(question), name, of)),
    )
  const random = (...of: string[]) => randomFrom(hashParts(seed, 'bootstrap', ...of))
  const against = (name: ControlName, other: ControlName) =>
    name === other || isOracle(name) || !names.includes(other) || scored.length === 0
      ? null
      : testCrossed(series(other), series(name), { random: random(name, other) })
  const rows = names.map(
    (control): ControlRow => ({
      control,
      title: controlTitles[control],
      n: questions.length,
      scores: Object.fromEntries(
        task.metrics.map((name) => {
          const values = series(control, name)
          const interval = bootstrapCrossed(values, { random: random(control, name) }) ?? { low: 0, high: 0 }
          return [name, { mean: average(meansOfItems(values)), interval }]
        }),
      ),
      ...costOf(answered.map((a) => answerOf(a, control))),
      mean_length_chars: average(scored.map((q) => textOf(q, control).length)),
      against_single: against(control, 'single'),
      p_corrected: null,
      against_majority: against(control, 'majority'),
    }),
  )
  correct(rows)
  const picks = answered.flatMap((a) => a.answers.judge?.picked ?? [])
  return {
    rows,
    changes: (['aggregated', 'trained'] as const)
      .filter((name) => names.includes(name))
      .map((name) => countChanges(scored, name, metric)),
    agreement: average(answered.map((a) => a.proposals.agreement)),
    judge_position: picks.length > 0 ? sharesOf(picks) : null,
    questions: scored,
  }
}

/** The question that a line is about, whatever its seed. */
const questionOf = ({ id, question }: QuestionScores) => question ?? id

const scoreOf = (line: QuestionScores | undefined, name: ControlName, metric: string) =>
  line?.answers.find((a) => a.control === name)?.scores[metric] ?? 0

/** Says whether a control says nothing: a majority of a task without votes, or of two (it is always the first). */
function isEmpty(name: ControlName, task: Task, scored: QuestionScores[]): boolean {
  if (['majority', 'majority-parts'].includes(name) && scored.every(({ proposals }) => proposals.length < 3))
    return true
  return name.startsWith('majority') && task.hasMajority === false
}

const isOracle = (name: ControlName) => name === 'oracle' || name === 'oracle-same'

/** Corrects the p values of the tests against one answer. */
export function correct(rows: Pick<ControlRow, 'against_single' | 'p_corrected'>[]): void {
  const tested = rows.filter((row) => row.against_single)
  const corrected = correctHolm(tested.map((row) => row.against_single?.p ?? 1))
  for (const [i, row] of tested.entries()) row.p_corrected = corrected[i] ?? null
}

/** Scores proposals and answers. An oracle's answer is the first proposal with the best score. */
async function scoreAll(task: Task, answered: Answered[]): Promise<QuestionScores[]> {
  const metric = task.metrics[0] as string
  const texts = answered.map((one) => textsOf(one, task))
  const flat = texts.flatMap(({ proposals, more, answers }, i) => {
    const { question } = answered[i] as Answered
    return [...proposals, ...(more ?? []), ...answers.map(([, text]) => text)].map((text) => ({
      question,
      text,
    }))
  })
  const scores = await task.score(flat)
  let at = 0
  return texts.map(({ proposals, more, answers }, i) => {
    const { question } = answered[i] as Answered
    const take = (list: string[]) => list.map((text): Scored => ({ text, scores: scores[at++] as Scores }))
    const ofProposals = take(proposals)
    const ofMore = more && take(more)
    const ofAnswers = answers.map(([control, text]) => ({
      control,
      text,
      scores: scores[at++] as Scores,
      ...(isAggregation(control) && { copied: findCopied(text, proposals) }),
    }))
    const shown = ({ text, scores }: Scored) => ({ text, score: scores[metric] ?? 0 })
    return {
      id: question.id,
      ...question.again,
      prompt: String(question.messages.at(-1)?.content ?? ''),
      proposals: ofProposals.map(shown),
      ...(ofMore && { more_proposals: ofMore.map(shown) }),
      answers: [
        ...ofAnswers,
        ...findBest('oracle', ofProposals, metric),
        ...(ofMore ? findBest('oracle-same', [...ofProposals, ...ofMore], metric) : []),
      ],
    }
  })
}

/** The texts of a question that are scored. If the task has votes of its own, they take the place of the plans'. */
function textsOf({ proposals, more, answers }: Answered, { votes }: Task) {
  const first = proposals.completions.map((c) => c.text)
  const all = more?.completions.map((c) => c.text)
  const vote = (name: ControlName, of: Vote | undefined, texts?: string[]): [ControlName, string][] =>
    of && texts ? [[name, of(texts)]] : []
  const written = Object.entries(answers).map(([name, { text }]): [ControlName, string] => [
    name as ControlName,
    text,
  ])
  const voted = [
    ...vote('majority', votes?.whole, first),
    ...vote('majority-same', votes?.whole, all),
    ...vote('majority-parts', votes?.parts, first),
    ...vote('majority-parts-same', votes?.parts, all),
  ]
  return {
    proposals: first,
    more: all?.slice(first.length),
    answers: [...new Map([...written, ...voted])],
  }
}

interface Scored {
  text: string
  scores: Scores
}

function findBest(control: ControlName, scored: Scored[], metric: string) {
  const [first, ...others] = scored
  if (!first) return []
  const score = ({ scores }: Scored) => scores[metric] ?? 0
  return [{ control, ...others.reduce((a, b) => (score(b) > score(a) ? b : a), first) }]
}

function isAggregation(control: ControlName): boolean {
  return control === 'aggregated' || control === 'trained'
}

/** Returns the answer to take costs from. What the scorer picks costs what its proposals cost, as the majority does. */
function answerOf({ answers }: Answered, control: ControlName): ControlAnswer {
  const planned = control in pickedFrom ? pickedFrom[control as keyof typeof pickedFrom] : control
  return answers[planned as PlannedControl] as ControlAnswer
}

/** Computes what answers took, as means; `degraded` is a count. */
export function costOf(answers: ControlAnswer[]) {
  const each = (pick: (answer: ControlAnswer) => number) => average(answers.map(pick))
  const known = answers.every(({ usage }) => usage.prefilledTokens !== null)
  return {
    completions: each((a) => a.completions),
    calls: each((a) => a.usage.calls),
    input_tokens: each((a) => a.usage.inputTokens),
    prefilled_tokens: known ? each((a) => a.usage.prefilledTokens ?? 0) : null,
    output_tokens: each((a) => a.usage.outputTokens),
    seconds: each((a) => a.ms / 1000),
    cost: answers.some((a) => a.usage.cost !== undefined) ? each((a) => a.usage.cost ?? 0) : null,
    degraded: answers.filter((a) => a.degradedBecause).length,
  }
}

function countChanges(scored: QuestionScores[], control: ControlName, metric: string): Changes {
  const counts = { rescued: 0, broke: 0, kept: 0, lost: 0, all_right: 0, all_wrong: 0 }
  const copied = scored.flatMap((q) => q.answers.find((a) => a.control === control)?.copied ?? [])
  for (const question of scored) {
    const right = (question.answers.find((a) => a.control === control)?.scores[metric] ?? 0) === 1
    const hits = question.proposals.filter((p) => p.score === 1).length
    if (hits === 0) {
      counts.all_wrong++
      if (right) counts.rescued++
    } else if (hits === question.proposals.length) {
      counts.all_right++
      if (!right) counts.broke++
    } else if (right) counts.kept++
    else counts.lost++
  }
  const nearest = copied.flatMap(({ nearest }) => (nearest === undefined ? [] : [nearest]))
  return { control, ...counts, copy_rate: average(copied.map((c) => c.share)), position: sharesOf(nearest) }
}

function textOf(question: QuestionScores, control: ControlName): string {
  return question.answers.find((a) => a.control === control)?.text ?? ''
}

function sharesOf(places: number[]): number[] {
  const counts = new Array<number>(Math.max(0, ...places.map((place) => place + 1))).fill(0)
  for (const place of places) counts[place] = (counts[place] ?? 0) + 1 / places.length
  return counts
}

function average(values: number[]): number {
  return values.length === 0 ? 0 : mean(values)
}
