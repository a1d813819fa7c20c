/**
 * The tables of `runs/low-perplexity.sh`: nats per token by condition, copied tokens apart, and the twins' held-out loss with
 * intervals over rows and seeds. Writes OUT/table.json.
 *   node runs/low-perplexity-table.ts OUT --noise-rows 32 --aft RUN,RUN --sft RUN,RUN
 * Without runs it leaves the twins out. With --save NAME it writes into bench/results too, with the figures of every row.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { saveResults } from '../bench/table.ts'
import type { ConditionSummary } from '../src/analyze/perplexity.ts'
import { readLosses } from '../src/files/training-metrics.ts'
import { bootstrapCrossed, meansOfItems } from '../src/lib/crossed.ts'
import { hashParts, randomFrom } from '../src/lib/random.ts'
import { mean } from '../src/lib/statistics.ts'
import { findEnvironment } from '../src/train/environment.ts'
import { packLines, parseLines } from './answer-lines.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'noise-rows': { type: 'string', default: '32' },
    aft: { type: 'string', default: '' },
    sft: { type: 'string', default: '' },
    save: { type: 'string' },
  },
})
const [out = ''] = positionals
const kinds = ['aft', 'sft'] as const
const read = (...names: string[]) => JSON.parse(readFileSync(path.join(out, ...names), 'utf8'))
const runsOf = (kind: (typeof kinds)[number]) => flags[kind].split(',')

interface RowsOfStep {
  group: string
  run: string
  step: number
  losses: number[]
  gradient?: { noise: number; variance: number; squared_mean: number; rows: number }
}

function measure(): RowsOfStep[] {
  /** The base's folder, as the trainer opened it. */
  const base = /^model_name_or_path: (.*)$/m.exec(
    readFileSync(path.join(runsOf('aft')[0] as string, 'trl.yaml'), 'utf8'),
  )?.[1]
  const dataOf = { aft: path.join(out, 'data'), sft: path.join(out, 'data/sft') }
  const rowsFile = path.join(out, 'held-out-rows.json')
  execFileSync(
    findEnvironment().python,
    [
      path.join(import.meta.dirname, 'held-out-rows.py'),
      base ?? '',
      rowsFile,
      flags['noise-rows'],
      ...kinds.map((kind) => `${kind}=${dataOf[kind]}:${flags[kind]}`),
    ],
    { stdio: 'inherit', env: { ...process.env, HF_HUB_OFFLINE: '1' } },
  )
  return Object.values(JSON.parse(readFileSync(rowsFile, 'utf8')))
}
const measured = flags.aft === '' ? [] : measure()

/** Weights that a token passes; with LoRA the backward pass skips the gradients of the base's weights: 4 FLOPs, not 6. */
const WEIGHTS = 134_515_008
const flopsOf = (tokens: number) => 4 * WEIGHTS * tokens

function tokensAt(run: string, step: number): number {
  return readLosses(path.join(run, 'metrics.jsonl')).find((metric) => metric.step === step)?.tokens ?? 0
}

const convergence = (measured.length > 0 ? kinds : []).map((kind) => {
  const own = measured.filter(({ group }) => group === kind)
  const points = [...Map.groupBy(own, ({ step }) => step)].map(([step, list]) => {
    const losses = list.map((one) => one.losses)
    const tokens = mean(runsOf(kind).map((run) => tokensAt(run, step)))
    const interval = bootstrapCrossed(losses, {
      random: randomFrom(hashParts('low-perplexity', kind, String(step))),
    })
    const noises = list.flatMap(({ gradient }) => gradient?.noise ?? [])
    return {
      step,
      tokens,
      flops: flopsOf(tokens),
      loss: mean(meansOfItems(losses)),
      interval,
      rows: losses[0]?.length,
      runs: list.length,
      ...(noises.length > 0 && { gradient_noise: mean(noises), gradient_noise_by_run: noises }),
    }
  })
  return { kind, points }
})

const perplexity = readdirSync(path.join(out, 'perplexity')).map((name) => {
  const { model, n, tokens, conditions } = read('perplexity', name, 'result.json')
  return { name, model, n, tokens, conditions: (conditions as ConditionSummary[]).map(withShare) }
})

/** Adds which share of the fall in nats, over all tokens, is in copied tokens. */
function withShare(condition: ConditionSummary) {
  const [copied, fresh] = [condition.copied, condition.fresh].map(
    (part) => (part?.difference ?? 0) * (part?.tokens ?? 0),
  )
  const share_of_copied = copied && fresh ? copied / (copied + fresh) : null
  return { ...condition, share_of_copied }
}

for (const { name, n, conditions } of perplexity) {
  console.log(`\n${name}: ${n} rows`)
  for (const { condition, perplexity: value, difference, interval, copied, fresh } of conditions) {
    const parts =
      copied && fresh ? `; copied ${copied.nats.toFixed(3)}, new ${fresh.nats.toFixed(3)} nats` : ''
    const change =
      difference === null
        ? ''
        : ` ${difference.toFixed(3)} [${interval?.low.toFixed(3)}, ${interval?.high.toFixed(3)}]`
    console.log(`  ${condition.padEnd(42)} ${value.toFixed(2).padStart(8)}${change}${parts}`)
  }
}
for (const { kind, points } of convergence) {
  console.log(`\n${kind}: held-out loss over ${points[0]?.rows} rows and ${points[0]?.runs} seeds`)
  for (const { step, tokens, flops, loss, interval, gradient_noise: noise } of points) {
    const noisy = noise === undefined ? '' : `  gradient noise ${noise.toFixed(1)}`
    console.log(
      `  step ${String(step).padStart(4)}  ${Math.round(tokens).toLocaleString('en-US').padStart(9)} tokens  ${flops.toExponential(1)} FLOPs  ${loss.toFixed(4)} [${interval?.low.toFixed(4)}, ${interval?.high.toFixed(4)}]${noisy}`,
    )
  }
}
writeFileSync(path.join(out, 'table.json'), `${JSON.stringify({ perplexity, convergence }, null, 1)}\n`)
if (flags.save) {
  const rows = `${flags.save}-rows.jsonl.gz`
  saveResults(`experiment-${flags.save}`, 'runs/low-perplexity.sh', { rows, perplexity, convergence })
  const lines = perplexity.flatMap(({ name }) =>
    parseLines<{ type: string; id: string; value: object }>(
      readFileSync(path.join(out, 'perplexity', name, 'journal.jsonl'), 'utf8'),
    ).flatMap(({ type, id, value }) => (type === 'done' ? [{ measure: name, row: id, scores: value }] : [])),
  )
  writeFileSync(path.join(import.meta.dirname, '../bench/results', rows), packLines([...lines, ...measured]))
}
