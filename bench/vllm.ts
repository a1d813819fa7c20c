/**
 * A running vLLM in what `aft` needs of it: samples of one prompt, its cache, log probabilities of given texts compared with
 * the embedded engine, raw text, and a LoRA adapter by its name. Keeps what came.
 *
 *   scripts/vllm-cpu.sh --port 8100 --enable-lora --lora-modules tuned=tuned/model
 *   npm run bench -- vllm --model http://127.0.0.1:8100/v1#smollm2 --adapter tuned
 */
import { parseArgs } from 'node:util'
import type { CompletionEnd, CompletionRequest, Engine } from '../src/core/provider/engine.ts'
import { renderDemonstrations } from '../src/data/demonstrations.ts'
import { openEngine } from '../src/engines/open.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'http://127.0.0.1:8100/v1#smollm2' },
    embedded: { type: 'string', default: 'smollm2' },
    adapter: { type: 'string' },
    tokens: { type: 'string', default: '16' },
  },
})
const [address = ''] = flags.model.split('#')
const maxTokens = Number(flags.tokens)
const say = (content: string) => [{ role: 'user' as const, content }]

/** Longer than two blocks of 128 tokens, which is what vLLM keeps on a CPU. */
const long = `Here is a list of rivers. ${Array.from({ length: 60 }, (_, i) => `River ${i + 1} is ${(i + 3) * 17} km long.`).join(' ')} Which one is the longest?`

const texts = [
  ['Name a river in Europe.', 'The Rhine is a river in Europe.'],
  ['What is 7 times 6?', '7 times 6 is 42.\n\nSo the answer is **42**.'],
  ['Greet a guest in French.', 'Bonjour, et bienvenue chez nous ! Voilà le café.'],
  [
    'Why is the sky blue?',
    'Air scatters blue light more than red light, so blue reaches us from all of the sky.',
  ],
] as const

async function complete(engine: Engine, more: Partial<CompletionRequest>): Promise<CompletionEnd[]> {
  const n = more.n ?? 1
  const request = {
    messages: [],
    seeds: Array.from({ length: n }, (_, i) => 11 + i),
    sampling: {},
    ...more,
    n,
  }
  const ends: CompletionEnd[] = []
  for await (const event of engine.generate(request)) {
    if (event.type === 'completion-failed') throw event.error
    if (event.type === 'completion-end') ends.push(event)
  }
  return ends.sort((a, b) => a.index - b.index)
}

/** Three samples of a prompt, twice, and the same seeds one by one. */
async function sampleTogether(engine: Engine) {
  const asked = { messages: say(long), sampling: { maxTokens, temperature: 0.7 } }
  const first = await complete(engine, { ...asked, n: 3 })
  const again = await complete(engine, { ...asked, n: 3 })
  const alone = [await complete(engine, { ...asked, seeds: [12] })].flat()
  return { first, again, alone }
}

/** The scores of given texts, here and there. */
async function compareScores(server: Engine, embedded: Engine) {
  const rows = []
  for (const [question, answer] of texts) {
    const [there, here] = [
      await server.score?.(say(question), answer),
      await embedded.score?.(say(question), answer),
    ]
    rows.push({ question, answer, there, here })
  }
  return rows
}

const engine = await openEngine(flags.model)
const raw = await openEngine(flags.model, { raw: true })
const embedded = await openEngine(flags.embedded, { threads: 1 })
const embeddedRaw = await openEngine(flags.embedded, { raw: true, threads: 1 })
const records: Record<string, unknown> = {}
const keep = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  const startMs = performance.now()
  const value = await work()
  records[name] = { seconds: (performance.now() - startMs) / 1000, value }
  console.error(name, JSON.stringify(value).slice(0, 300))
  return value
}
const together = await keep('three samples of a prompt, twice', () => sampleTogether(engine))
const scores = await keep('scores of a chat', () => compareScores(engine, embedded))
const rawScores = await keep('scores of raw text', () => compareScores(raw, embeddedRaw))
const base = { messages: [{ role: 'user' as const, content: renderDemonstrations('Name a fruit.') }] }
const proposed = await keep('raw text for a base model', () =>
  complete(raw, { ...base, n: 2, sampling: { maxTokens, temperature: 0.7 } }),
)
const greedy = { messages: say('What is 12 plus 30?'), sampling: { maxTokens, temperature: 0 } }
const plain = await keep('without the adapter', () => complete(engine, greedy))
const adapted = flags.adapter
  ? await keep('with the adapter', async () =>
      complete(await openEngine(`${address}#${flags.adapter}`), greedy),
    )
  : []

const nats = (rows: typeof scores, side: 'there' | 'here') => {
  const all = rows.flatMap((row) => row[side] ?? [])
  return { tokens: all.length, nats: -all.reduce((sum, { logprob }) => sum + logprob, 0) / all.length }
}
const show = (rows: typeof scores) =>
  (['there', 'here'] as const)
    .map((side) => nats(rows, side))
    .map((one) => `${one.nats.toFixed(4)} (${one.tokens})`)
    .join(' / ')
printTable(
  ['', 'seen'],
  [
    [
      'prompt tokens, read of them at first',
      `${together.first[0]?.usage.inputTokens}, ${together.first[0]?.usage.prefilledTokens}`,
    ],
    ['read when asked again', `${together.again[0]?.usage.prefilledTokens}`],
    ['requests for three samples', `${together.first.reduce((sum, { usage }) => sum + usage.calls, 0)}`],
    ['the second sample alone is the same text', `${together.alone[0]?.text === together.first[1]?.text}`],
    ['nats per token of a chat (tokens): server / embedded', show(scores)],
    ['nats per token of raw text (tokens): server / embedded', show(rawScores)],
    ['raw text', JSON.stringify(proposed.map(({ text }) => text)).slice(0, 80)],
    ['without the adapter', JSON.stringify(plain[0]?.text).slice(0, 80)],
    ['with the adapter', JSON.stringify(adapted[0]?.text ?? '').slice(0, 80)],
  ],
)
saveResults('vllm', `npm run bench -- vllm ${process.argv.slice(2).join(' ')}`, {
  embedded: flags.embedded,
  records,
})
await Promise.all([engine, raw, embedded, embeddedRaw].map((one) => one.close?.()))
