/**
 * Perplexity of targets by what the model is shown: nothing, proposals, proposals of another question.
 *   node runs/perplexity.ts FOLDER --model smollm2-q4_1 [--count 100] -o OUT.json    what `aft data build --sft-twin` made
 *   node runs/perplexity.ts --alpaca-eval FOLDER [--most-chars 6000] …    AlpacaEval's outputs: five models propose, Together-MoA's is the target
 * It goes on where an interrupted one was: each case is a line of OUT.json.cases.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Message } from '../src/core/engine.ts'
import { aggregatorMessages, defaultTemplate, proposerMessages } from '../src/core/templates.ts'
import { readExamples } from '../src/dataset/read-examples.ts'
import type { Example } from '../src/dataset/row.ts'
import { openEngine } from '../src/engines/open.ts'
import { type CaseScore, type ScoredCase, scoreCases, summarise } from '../src/training/perplexity.ts'

const proposers = [
  'Meta-Llama-3-70B-Instruct',
  'Mixtral-8x22B-Instruct-v0.1',
  'Qwen1.5-110B-Chat',
  'Qwen1.5-72B-Chat',
  'dbrx-instruct',
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'alpaca-eval': { type: 'string' },
    model: { type: 'string', default: 'smollm2-q4_1' },
    count: { type: 'string', default: '100' },
    // Of target and proposals together: what a small model reads on a CPU in seconds.
    'most-chars': { type: 'string', default: '6000' },
    threads: { type: 'string' },
    output: { type: 'string', short: 'o' },
  },
})
const { output = 'perplexity.json', model } = values
const all = values['alpaca-eval']
  ? readAlpacaEval(values['alpaca-eval'])
  : await readFolder(positionals[0] ?? '')
const cases = all.slice(0, Number(values.count))
const partial = `${output}.cases`
const before = existsSync(partial) ? readLines(partial) : []
const known = new Set(before.map(({ id }) => id))
const engine = await openEngine(model, { threads: values.threads ? Number(values.threads) : undefined })
const fresh = await scoreCases(
  engine,
  cases.filter(({ id }) => !known.has(id)),
  (score, done) => {
    appendFileSync(partial, `${JSON.stringify(score)}\n`)
    if (done % 10 === 0) console.error(`${done + before.length} of ${cases.length}`)
  },
)
await engine.close?.()
const scores = [...before.filter(({ id }) => cases.some((c) => c.id === id)), ...fresh]
const summaries = summarise(scores)
const tokens = scores.reduce((sum, score) => sum + score.tokens, 0)
writeFileSync(
  output,
  `${JSON.stringify({ model, cases: scores.length, tokens, summaries, scores }, null, 1)}\n`,
)
console.log(`${model}: ${scores.length} targets, ${tokens} tokens`)
for (const { condition, perplexity, difference, interval, lower } of summaries) {
  const beside =
    difference === undefined || !interval
      ? ''
      : `  ${difference.toFixed(3)} nats a token (95 %: ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}), lower on ${Math.round(100 * (lower ?? 0))} %`
  console.log(`${condition.padEnd(36)} ${perplexity.toFixed(2)}${beside}`)
}

function readLines(file: string): CaseScore[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line))
}

/** The validation rows, their twins, and the next row's proposals before this row's question. */
async function readFolder(folder: string): Promise<ScoredCase[]> {
  const rows: Example[] = []
  for await (const row of readExamples(folder, 'validation')) rows.push(row)
  const plain = new Map<string, Message[]>()
  for await (const { id, prompt } of readExamples(path.join(folder, 'sft'), 'validation'))
    plain.set(id, prompt)
  return rows.map(({ id, prompt, completion }, i) => {
    const [, ...turns] = prompt
    const foreign = rows[(i + 1) % rows.length]?.prompt[0] as Message
    return {
      id,
      target: completion[0].content,
      prompts: {
        'no proposals': plain.get(id) as Message[],
        proposals: prompt,
        'proposals of another question': [foreign, ...turns],
      },
    }
  })
}

/** Short examples only, in the benchmark's order. */
function readAlpacaEval(folder: string): ScoredCase[] {
  const read = (name: string) =>
    JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as {
      instruction: string
      output: string
    }[]
  const targets = read('Together-MoA')
  const tables = proposers.map((name) => new Map(read(name).map((row) => [row.instruction, row.output])))
  const whole = targets.flatMap(({ instruction, output }) => {
    const texts = tables.map((table) => table.get(instruction) ?? '')
    const chars = texts.reduce((sum, text) => sum + text.length, output.length)
    return texts.every((text) => text.trim() !== '') && chars <= Number(values['most-chars'])
      ? [{ instruction, output, texts }]
      : []
  })
  return whole.map(({ instruction, output: target, texts }, i) => {
    const conversation: Message[] = [{ role: 'user', content: instruction }]
    const foreign = whole[(i + 1) % whole.length]?.texts ?? []
    const show = (shown: string[]) =>
      aggregatorMessages(
        defaultTemplate,
        conversation,
        shown.map((text) => ({ text })),
      )
    return {
      id: String(i),
      target,
      prompts: {
        'no proposals': proposerMessages(defaultTemplate, conversation),
        'one proposal': show([texts[i % 5] as string]),
        'three proposals': show([0, 1, 2].map((k) => texts[(i + k) % 5] as string)),
        'five proposals': show(texts),
        'five proposals of another question': show(foreign),
      },
    }
  })
}
