/** The parts of a report that are read rather than looked at: single questions, and where the numbers come from. */
import type { ReportSection } from '../lib/report-page.ts'
import type { QuestionResult, Result } from './result-file.ts'

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`

const SHOWN = 6

/** The questions whose answer is furthest from the mean of its proposals, both ways. */
export function browseSections(result: Result, questions: QuestionResult[]): ReportSection[] {
  const metric = result.metrics[0] as string
  const control = result.changes.at(-1)?.control
  if (control === undefined) return []
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
        : 'Score of the answer less the mean of its proposals. Open one to read it.',
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

/** What every result tells of itself. */
type Origin = Pick<Result, 'command' | 'version' | 'date' | 'template' | 'settings' | 'n' | 'asked'> & {
  left_out?: unknown
  node?: unknown
}

/** By what every number was made. */
export function originSection({
  command,
  version,
  date,
  template,
  settings,
  n,
  asked,
  ...result
}: Origin): ReportSection {
  const leftOut = Object.entries((result.left_out ?? {}) as Record<string, number>)
  return {
    title: '',
    isWide: true,
    table: {
      head: ['what', 'is'],
      rows: [
        ['command', command],
        ['aft', version],
        ['Node', String(result.node ?? '')],
        ['date', date],
        ['template', `${template.id}, SHA-256 ${template.sha256}`],
        ...Object.entries(settings).map(([name, value]): [string, string] => [name, String(value)]),
        ['questions', n < asked ? `${n} of ${asked} asked` : String(n)],
        ...leftOut.map(([why, count]): [string, string] => ['left out', `${count}: ${why}`]),
      ],
    },
  }
}
