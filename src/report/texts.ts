/** The text parts of a report: single questions, and the origin of the numbers. */

import type { QuestionResult, Result, Results } from '../files/result-kinds.ts'
import type { ReportSection } from './page.ts'

/** Writes a share (0 to 1) in percent, with a non-breaking space. */
export const percent = (share: number) => `${(100 * share).toFixed(1)}\u00a0%`

/** Writes a number with its sign, and a minus sign as printers have it. Zero has none. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits)
  return Number(text) === 0 ? text : `${value < 0 ? '−' : '+'}${text}`
}

const SHOWN = 6

/** Makes sections with the questions that gained and lost most: their answers scored far above or below their proposals. */
export function browseSections(result: Result, questions: QuestionResult[]): ReportSection[] {
  const metric = result.metrics[0] as string
  const control = result.changes.at(-1)?.control
  if (control === undefined || questions.length === 0) return []
  const gained = questions
    .flatMap((question) => {
      const answer = question.answers.find((a) => a.control === control)
      const mean =
        question.proposals.reduce((sum, p) => sum + p.score, 0) / Math.max(1, question.proposals.length)
      return answer ? [{ question, answer, gain: (answer.scores[metric] ?? 0) - mean }] : []
    })
    .sort((a, b) => b.gain - a.gain)
  const list = (title: string, some: typeof gained): ReportSection => ({
    title,
    text:
      some.length === 0
        ? 'None.'
        : 'The number is the score of the answer minus the mean of its proposals. Open one to read it.',
    details: some.map(({ question, answer, gain }) => ({
      summary: `${gain > 0 ? '+' : ''}${gain.toFixed(2)}  ${question.id}: ${firstWords(question.prompt)}`,
      parts: [
        { label: 'prompt', text: question.prompt },
        ...question.proposals.map((p, i) => ({ label: `proposal ${i + 1}, score ${p.score}`, text: p.text })),
        {
          label: `answer, score ${answer.scores[metric]}${describeCopied(answer.copied)}`,
          text: answer.text,
        },
      ],
    })),
  })
  return [
    list('Largest gains', gained.filter((g) => g.gain > 0).slice(0, SHOWN)),
    list(
      'Largest losses',
      gained
        .filter((g) => g.gain < 0)
        .reverse()
        .slice(0, SHOWN),
    ),
  ]
}

function describeCopied(copied: QuestionResult['answers'][number]['copied']): string {
  if (!copied) return ''
  const nearest = copied.nearest === undefined ? '' : `, most like proposal ${copied.nearest + 1}`
  return `, ${percent(copied.share)} of its 4-grams from proposals${nearest}`
}

function firstWords(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}

/** Describes a result in a few words, such as `GSM8K, MODEL: 200 questions`. */
export function describeTask({ kind, result }: Results): string {
  switch (kind) {
    case 'controls':
      return `${nameTask(result.task)}, ${shorten(result.model)}${sizeOf(result.settings)}: ${result.n} questions`
    case 'mt-bench':
      return `MT-Bench, ${shorten(result.model)}: ${result.n} questions`
    case 'convergence':
      return `Training: ${result.groups.map(({ group, runs }) => (runs.length > 1 ? `${group} (${runs.length} runs)` : group)).join(', ')}`
    case 'perplexity':
      return `Perplexity of ${result.n} targets`
    case 'alpaca-eval':
      return `AlpacaEval, compared with ${result.baseline}`
  }
}

/** The width and depth of an evaluation, if its settings tell them. */
function sizeOf({ width, depth }: Record<string, unknown>): string {
  return typeof width === 'number' && typeof depth === 'number' ? `, width ${width} and depth ${depth}` : ''
}

const MOST_TASKS = 4

/** Names a page by its content, such as `GSM8K and IFEval with smollm2`. */
export function titleOf(results: Results[]): string {
  const all = [...new Set(results.map(shortTask))]
  // A grid names its task, too.
  const tasks = all.filter((task) => !all.some((other) => other.endsWith(` on ${task}`)))
  const models = [
    ...new Set(results.flatMap(({ result }) => ('model' in result ? shorten(String(result.model)) : []))),
  ]
  const shown = tasks.length > MOST_TASKS ? [...tasks.slice(0, MOST_TASKS - 1), 'more'] : tasks
  const named = [shown.slice(0, -1).join(', '), shown.at(-1)].filter(Boolean).join(' and ')
  return `${named}${models.length === 1 ? ` with ${models[0]}` : ''}`
}

function shortTask({ kind, result }: Results): string {
  if (kind === 'controls') return nameTask(result.task)
  if (kind === 'alpaca-eval') return `AlpacaEval against ${result.baseline}`
  return { 'mt-bench': 'MT-Bench', convergence: 'Training curves', perplexity: 'Perplexity' }[kind]
}

const taskNames: Record<string, string> = { gsm8k: 'GSM8K', ifeval: 'IFEval' }

/** Writes a task's name as its owners do. A grid of widths and depths is named as such. */
function nameTask(task: string): string {
  const [, grid, name = task] = task.match(/^(scaling )?(.*)$/) ?? []
  return `${grid ? 'Width and depth on ' : ''}${taskNames[name] ?? name}`
}

/** Shortens a model to the end of its path or address: `runs/cpu/aft` is `aft`, `http://127.0.0.1/v1#llama` is `llama`. */
export function shorten(model: string): string {
  return model.split(/[\\/#]/).findLast((part) => part !== '') ?? model
}

/** Shortens model names, but only if the short names stay different. */
export function nameModels(models: string[]): string[] {
  const short = models.map(shorten)
  return new Set(short).size === new Set(models).size ? short : models
}

/** Makes the section that says how every number was made: a line per result, which unfolds. */
export function originSection(results: Results['result'][]): ReportSection {
  const names = nameModels(results.map((result) => ('model' in result ? String(result.model) : '')))
  return {
    title: 'How this was made',
    isWide: true,
    folds: results.map((result, i) => ({
      summary: `${[result.task, names[i]].filter(Boolean).join(', ')}, ${result.date.slice(0, 10)}`,
      table: { head: ['what', 'is'], rows: originRows(result) },
    })),
  }
}

function originRows(result: Results['result']): [string, string][] {
  const { command, version, node = '', date, machine = '', settings, n } = result
  const template =
    'template' in result ? (result.template as { id: string; sha256: string } | null) : undefined
  const judge = 'judge' in result ? result.judge : undefined
  const asked = 'asked' in result && typeof result.asked === 'number' ? result.asked : n
  const show = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
  const rows: [string, unknown][] = [
    ['command', command],
    ['aft', version],
    ['Node', node],
    ['date', date],
    ['machine', machine || 'not known'],
    [
      'template',
      template === undefined ? '' : template ? `${template.id}, SHA-256 ${template.sha256}` : 'not known',
    ],
    ...(typeof judge === 'object' && judge
      ? Object.entries(judge).map(([k, v]) => [`judge: ${k}`, v] as [string, unknown])
      : ([['judge', judge ?? '']] as [string, unknown][])),
    ...Object.entries(settings),
    ['n', n < asked ? `${n} of ${asked} asked` : n],
    ...Object.entries(result.left_out ?? {}).map(([why, count]): [string, string] => [
      'left out',
      `${count}: ${why}`,
    ]),
  ]
  return rows.map(([name, value]): [string, string] => [name, show(value)]).filter(([, text]) => text !== '')
}
