/** Questions of an evaluation, and pairs that a judge compared: one journal per way to answer. */
import type { Message } from '../../../core/provider/engine.ts'
import type { Journal } from './journal.ts'
import { newRun, type RunView, type Turn } from './run.ts'
import { type Fields, listOf, number, oneOf, record, text } from './shapes.ts'

/** A line of `questions.jsonl`. */
interface Question {
  id: string
  prompt: string
  /** The conversation, if there is more of it than the prompt. */
  messages?: Message[]
  proposals: { text: string; score?: number }[]
  answers: { control: string; text: string; scores: Record<string, number>; grade?: string }[]
}

const scores = (value: unknown) =>
  typeof value === 'object' && value !== null
    ? (Object.fromEntries(Object.entries(value).filter(([, n]) => number(n) !== undefined)) as Record<
        string,
        number
      >)
    : undefined

const question = record<Question>(
  {
    id: text,
    prompt: text,
    messages: listOf(
      record<{ role: 'user' | 'assistant' | 'system'; content: string }>(
        { role: oneOf('user', 'assistant', 'system'), content: text },
        'role',
        'content',
      ),
      1_000,
    ) as Fields<Question>['messages'],
    proposals: listOf(record<Question['proposals'][number]>({ text, score: number }, 'text'), 1_000),
    answers: listOf(
      record<Question['answers'][number]>(
        { control: text, text, scores, grade: text },
        'control',
        'text',
        'scores',
      ),
      100,
    ),
  },
  'id',
  'prompt',
  'proposals',
  'answers',
)

/** Reads the values of the lines of `questions.jsonl`: none if the first is no question. */
export function readQuestions(name: string, values: unknown[]): Journal[] {
  return question(values[0])
    ? byControl(
        name,
        values.flatMap((value) => question(value) ?? []),
      )
    : []
}

type Comparison = Record<'instruction' | 'output_1' | 'output_2', string> & {
  generator_1?: string
  generator_2?: string
  preference?: number
}

const comparison = record<Comparison>(
  {
    instruction: text,
    output_1: text,
    output_2: text,
    generator_1: text,
    generator_2: text,
    preference: number,
  },
  'instruction',
  'output_1',
  'output_2',
)

/** Reads `annotations.json`, the pairs of AlpacaEval: a journal of each side, with the share of its wins as scores. */
export function readComparisons(name: string, value: unknown): Journal[] {
  if (!Array.isArray(value) || !comparison(value[0])) return []
  const rows = value.flatMap((row) => comparison(row) ?? [])
  return ([1, 2] as const).map((side) => {
    const scored: Record<string, number> = {}
    const turns = rows.map((row, i): Turn => {
      const id = String(i + 1)
      if (row.preference !== undefined) scored[id] = side === 1 ? 2 - row.preference : row.preference - 1
      const answer = { control: writerOf(row, side), text: row[`output_${side}`], scores: {} }
      return toTurn({ id, prompt: row.instruction, proposals: [], answers: [] }, answer)
    })
    return { name: `${writerOf(rows[0], side)} (${name})`, turns, badLines: 0, scores: scored }
  })
}

const writerOf = (row: Comparison | undefined, side: 1 | 2) => row?.[`generator_${side}`] ?? `output ${side}`

function byControl(file: string, questions: Question[]): Journal[] {
  const controls = [...new Set(questions.flatMap(({ answers }) => answers.map(({ control }) => control)))]
  return controls.map((control) => {
    const scored: Record<string, number> = {}
    const grades: Record<string, string> = {}
    const turns = questions.flatMap((question) => {
      const answer = question.answers.find((answer) => answer.control === control)
      if (!answer) return []
      const [score] = Object.values(answer.scores)
      if (score !== undefined) scored[question.id] = score
      if (answer.grade !== undefined) grades[question.id] = answer.grade
      return [toTurn(question, answer)]
    })
    return { name: `${control} (${file})`, turns, badLines: 0, scores: scored, grades }
  })
}

function toTurn({ id, prompt, messages, proposals }: Question, answer: Question['answers'][number]): Turn {
  const members = proposals.map(({ text, score }, index) => ({
    index,
    state: 'done' as const,
    text,
    reasoning: '',
    engine: score === undefined ? undefined : `score ${score}`,
  }))
  const author = {
    index: 0,
    state: 'done' as const,
    text: answer.text,
    reasoning: '',
    engine: answer.control,
  }
  const run: RunView = {
    ...newRun(),
    state: 'done',
    layers: [
      ...(members.length > 0 ? [{ isLast: false, members }] : []),
      { isLast: true, members: [author] },
    ],
    answer: answer.text,
    from: { layer: members.length > 0 ? 1 : 0, index: 0 },
  }
  return { id, messages: messages ?? [{ role: 'user', content: prompt }], question: prompt, run }
}
