/**
 * The table of `runs/routes-rewards.sh`: right answers over the same drafts before further training, after copying right answers
 * and after rewards, with the seconds of both trainings. Intervals of 95 % draw questions; differences are paired by question.
 *   node runs/routes-rewards-table.ts OUT               with --save NAME also into bench/results, with every answer
 *   node runs/routes-rewards-table.ts ANSWERS.jsonl.gz  makes the table again, from the answers alone
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { saveResults } from '../bench/table.ts'
import { readMetrics } from '../src/files/training-metrics.ts'
import { hashParts, randomFrom } from '../src/lib/random.ts'
import { bootstrapMean, mean } from '../src/lib/statistics.ts'
import { isRight, packLines, parseLines, percent, readPacked, showInterval } from './answer-lines.ts'

interface Answered {
  id: string
  prompt: string
  target: string
  proposals: string[]
  /** By the model that merged them: `before`, `sft`, `grpo`. */
  answers: Record<string, string>
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: 'string' } },
})
const [place = ''] = positionals
const isPacked = place.endsWith('.gz')
const MODELS = ['before', 'sft', 'grpo']

const readLines = <T>(...names: string[]): T[] => parseLines(readFileSync(path.join(place, ...names), 'utf8'))

function gather(): Answered[] {
  interface Row {
    id: string
    prompt: string
    proposals: { text: string }[]
    answers: { control: string; text: string }[]
  }
  const byModel = MODELS.map(
    (model) =>
      new Map(readLines<Row>(`test-${model}`, 'questions.jsonl').map((row) => [row.id, row] as const)),
  )
  return readLines<{ id: string; target: string }>('test.jsonl').map(({ id, target }) => {
    const rows = byModel.map((of, model) => {
      const row = of.get(id)
      if (!row)
        throw new Error(`${place}: expected an answer of "${MODELS[model]}" to ${id}; run the script again`)
      return row
    })
    const shown = rows.map(({ proposals }) => proposals.map(({ text }) => text))
    if (new Set(shown.map((drafts) => JSON.stringify(drafts))).size > 1)
      throw new Error(
        `${place}: the drafts to ${id} differ; delete the folders test-* and run the script again`,
      )
    const texts = rows.map(({ answers }) => answers.find(({ control }) => control === 'trained')?.text ?? '')
    const answers = Object.fromEntries(MODELS.map((model, i) => [model, texts[i] as string]))
    return { id, prompt: rows[0]?.prompt ?? '', target, proposals: shown[0] ?? [], answers }
  })
}

const lines: Answered[] = isPacked ? readPacked(place) : gather()
const best = lines.map(({ proposals, target }) => Math.max(...proposals.map((text) => isRight(text, target))))
const scoresOf = (model: string) => lines.map(({ answers, target }) => isRight(answers[model] ?? '', target))
const before = scoresOf('before')
const secondsOf = (model: string) =>
  isPacked || model === 'before'
    ? undefined
    : readMetrics(path.join(place, model, 'metrics.jsonl')).at(-1)?.seconds

function interval(scores: number[], name: string) {
  const random = randomFrom(hashParts('routes rewards', name))
  return bootstrapMean(scores, { random }) ?? { low: 0, high: 0 }
}
const rows = [['best draft', best] as const, ...MODELS.map((model) => [model, scoresOf(model)] as const)].map(
  ([title, scores]) => {
    const gain = scores.map((score, i) => score - (before[i] as number))
    const row = {
      title,
      share: mean(scores),
      interval: interval(scores, title),
      ...(title !== 'before' && { gain: mean(gain), gainInterval: interval(gain, `${title} gain`) }),
      trainingSeconds: title === 'best draft' ? undefined : secondsOf(title),
    }
    const more = row.gainInterval
      ? `  ${percent(row.gain as number)} ${showInterval(row.gainInterval)} more than before`
      : ''
    const time = row.trainingSeconds === undefined ? '' : `  ${Math.round(row.trainingSeconds)} s`
    console.log(
      `${title.padEnd(12)} ${percent(row.share).padStart(5)} % ${showInterval(row.interval)}${more}${time}`,
    )
    return row
  },
)
if (flags.save && !isPacked) {
  const answers = `${flags.save}-answers.jsonl.gz`
  saveResults(`experiment-${flags.save}`, 'runs/routes-rewards.sh', {
    answers,
    questions: lines.length,
    rows,
  })
  writeFileSync(path.join(import.meta.dirname, '../bench/results', answers), packLines(lines))
}
