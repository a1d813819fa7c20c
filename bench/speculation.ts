/**
 * What llama-server's own look-up of n-grams does for aggregators: the same requests with each kind of it and without. Aggregators
 * repeat spans of their drafts. The CPU time of the server counts, with one thread, so other work on the machine does not.
 *
 *   npm run bench -- speculation [--prompts 6] [--max-tokens 96]
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Message } from '../src/core/provider/engine.ts'
import { aggregatorMessages } from '../src/core/templates.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { paperTemplate } from '../src/plans/wordings.ts'
import { startLlamaServer } from '../test/peers/llama-server.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    prompts: { type: 'string', default: '6' },
    'max-tokens': { type: 'string', default: '96' },
    chars: { type: 'string', default: '1500' },
    kinds: { type: 'string' },
  },
})
const [count, maxTokens, maxChars] = [Number(flags.prompts), Number(flags['max-tokens']), Number(flags.chars)]

/** Each kind, with its flags; short n-grams, because drafts are short. */
const kinds: Record<string, string[]> = {
  none: [],
  'ngram-simple 3, 8': [
    '--spec-type',
    'ngram-simple',
    '--spec-ngram-simple-size-n',
    '3',
    '--spec-ngram-simple-size-m',
    '8',
  ],
  'ngram-simple 6, 16': [
    '--spec-type',
    'ngram-simple',
    '--spec-ngram-simple-size-n',
    '6',
    '--spec-ngram-simple-size-m',
    '16',
  ],
  'ngram-simple as it comes': ['--spec-type', 'ngram-simple'],
  'ngram-cache': ['--spec-type', 'ngram-cache'],
  'ngram-mod as it comes': ['--spec-type', 'ngram-mod'],
}

interface Row {
  instruction: string
  output: string
}

/** Aggregators' prompts: questions of AlpacaEval with the answers of three systems as drafts. */
function makePrompts(): Message[][] {
  const folder = path.join(import.meta.dirname, '../../shared/data/alpaca-eval/outputs')
  const read = (name: string): Row[] => JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8'))
  const systems = ['Mixtral-8x22B-Instruct-v0.1', 'Qwen1.5-72B-Chat', 'dbrx-instruct'].map(read)
  const [first = []] = systems
  const rows = first.map(({ instruction }, i) => ({
    instruction,
    drafts: systems.map((rows) => rows[i]?.output ?? ''),
  }))
  const short = rows.filter(
    ({ drafts }) => drafts.join('').length <= maxChars && drafts.every((text) => text.length > 150),
  )
  return short.slice(0, count).map(({ instruction, drafts }) =>
    aggregatorMessages(
      paperTemplate,
      [{ role: 'user', content: instruction }],
      drafts.map((text) => ({ text })),
    ),
  )
}

/** Seconds that a process has used of its processors. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

interface Timings {
  predicted_n: number
  draft_n?: number
  draft_n_accepted?: number
}

interface Answered extends Timings {
  kind: string
  index: number
  temperature: number
  seconds: number
  text: string
}

async function ask(url: string, messages: Message[], tokens: number, temperature: number) {
  const body = { messages, max_tokens: tokens, temperature, seed: 7, cache_prompt: true }
  const response = await fetch(`${url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
  const { choices, timings } = (await response.json()) as {
    choices: { message: { content: string } }[]
    timings: Timings
  }
  return { text: choices[0]?.message.content ?? '', timings }
}

const { file } = await resolveModel('smollm2')
const prompts = makePrompts()
const chosen = flags.kinds?.split(',') ?? Object.keys(kinds)
const records: Answered[] = []
for (const kind of chosen) {
  const server = await startLlamaServer({
    model: file,
    threads: 1,
    slots: 1,
    contextTokens: 4096,
    args: kinds[kind],
  })
  try {
    for (const [index, messages] of prompts.entries()) {
      // The prompt is read first, so that the time is that of the writing.
      await ask(server.url, messages, 1, 0)
      for (const temperature of [0, 0.7]) {
        const before = cpuSeconds(server.pid)
        const { text, timings } = await ask(server.url, messages, maxTokens, temperature)
        const seconds = cpuSeconds(server.pid) - before
        records.push({ kind, index, temperature, seconds, text, ...timings })
        console.error(
          kind,
          index,
          temperature,
          seconds.toFixed(2),
          timings.predicted_n,
          timings.draft_n,
          timings.draft_n_accepted,
        )
      }
    }
  } finally {
    await server.close()
  }
}

const of = (kind: string, temperature: number) =>
  records.filter((record) => record.kind === kind && record.temperature === temperature)
const sum = (rows: typeof records, field: 'seconds' | 'predicted_n' | 'draft_n' | 'draft_n_accepted') =>
  rows.reduce((total, row) => total + (row[field] ?? 0), 0)
printTable(
  [
    'kind',
    'temperature',
    'tokens',
    'drafted',
    'accepted',
    'tokens per pass',
    'CPU ms per token',
    'as a share',
    'same texts',
  ],
  [0, 0.7].flatMap((temperature) => {
    const plain = of('none', temperature)
    const msOf = (rows: typeof records) => (1000 * sum(rows, 'seconds')) / sum(rows, 'predicted_n')
    return chosen.map((kind) => {
      const rows = of(kind, temperature)
      const [tokens, accepted] = [sum(rows, 'predicted_n'), sum(rows, 'draft_n_accepted')]
      const same = rows.filter(
        ({ index, text }) => plain.find((one) => one.index === index)?.text === text,
      ).length
      return [
        kind,
        temperature,
        tokens,
        sum(rows, 'draft_n'),
        accepted,
        (tokens / (tokens - accepted)).toFixed(2),
        msOf(rows).toFixed(1),
        (msOf(rows) / msOf(plain)).toFixed(2),
        `${same} of ${rows.length}`,
      ]
    })
  }),
)
saveResults('speculation', `npm run bench -- speculation ${process.argv.slice(2).join(' ')}`.trim(), {
  server: 'llama-server of Debian, build 11669; the wheel of another version where the CPU has AMX',
  settings: { count, maxTokens, maxChars },
  kinds,
  records,
})
