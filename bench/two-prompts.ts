/**
 * Two prompts at once beside the same two one after the other, in process: the narrow last layer of the one shares its passes with
 * the work of the other. The ways have seeds of their own, so that neither finds what the other has read.
 *
 *   npm run bench -- two-prompts
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Result } from '../src/core/result.ts'
import { openEmbedded } from '../src/engines/embedded/embedded.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { answer } from '../src/run/answer.ts'
import { questions } from './questions.ts'
import { printTable, saveResults, showSpread, spreadOf, widestInstructions } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    pairs: { type: 'string', default: '3' },
    repeats: { type: 'string', default: '2' },
    'max-tokens': { type: 'string', default: '128' },
  },
})
const { file } = await resolveModel('smollm2')
const engine = await openEmbedded({ file, threads: 2 })
const ask = (question: string, seed: number) =>
  answer(question, {
    engine,
    width: 5,
    depth: 2,
    temperature: 0.7,
    topP: 0.95,
    maxTokens: Number(flags['max-tokens']),
    seed,
  })

async function time(work: () => Promise<Result[]>) {
  const start = performance.now()
  const results = await work()
  const outputTokens = results.reduce((sum, { usage }) => sum + usage.outputTokens, 0)
  return { seconds: (performance.now() - start) / 1000, outputTokens }
}

const rows = []
await ask('Say hello.', 0)
for (let i = 0; i < Number(flags.pairs) * Number(flags.repeats); i++) {
  const pair = [0, 1].map((of) => questions[(2 * i + of) % questions.length] as string)
  const [first, second] = pair as [string, string]
  const ways = {
    after: async (seed: number) => [await ask(first, seed), await ask(second, seed + 1)],
    atOnce: (seed: number) => Promise.all([ask(first, seed), ask(second, seed + 1)]),
  }
  const order = i % 2 === 0 ? (['after', 'atOnce'] as const) : (['atOnce', 'after'] as const)
  const times: Partial<Record<keyof typeof ways, Awaited<ReturnType<typeof time>>>> = {}
  for (const way of order) times[way] = await time(() => ways[way](100 * i + (way === 'after' ? 0 : 50)))
  const { after, atOnce } = times as Required<typeof times>
  rows.push({
    after: after.seconds,
    atOnce: atOnce.seconds,
    outputTokens: [after.outputTokens, atOnce.outputTokens],
    ratio: atOnce.seconds / atOnce.outputTokens / (after.seconds / after.outputTokens),
  })
}
await engine.close?.()
printTable(
  ['two prompts, seconds', 'median (least to most)'],
  [
    ['one after the other', showSpread(rows.map(({ after }) => after))],
    ['at once', showSpread(rows.map(({ atOnce }) => atOnce))],
    ['at once over one after the other, per token', showSpread(rows.map(({ ratio }) => ratio))],
  ],
)
saveResults(
  `two-prompts-${widestInstructions()}`,
  ['npm run bench -- two-prompts', ...process.argv.slice(2)].join(' '),
  { file: path.basename(file), ratio: spreadOf(rows.map(({ ratio }) => ratio)), rows },
)
