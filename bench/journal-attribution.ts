/**
 * `aft analyze attribution` and `influence` on large journals: the processor's time and the memory for more and more prompts of
 * five proposals, 200 words each. Influence needs a model that reads each answer eight times, so few are scored.
 *
 *   npm run bench -- journal-attribution
 *   npm run bench -- journal-attribution --scored 0      without a model
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { hashTemplate } from '../src/core/provider/template.ts'
import type { JournalRecord } from '../src/files/journal-records.ts'
import { hashParts, randomFrom } from '../src/lib/random.ts'
import { makePlan } from '../src/plans/strategies.ts'
import { paperTemplate } from '../src/plans/wordings.ts'
import { type Measured, runMeasured } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    prompts: { type: 'string', default: '1000,10000' },
    scored: { type: 'string', default: '1,2,4' },
    /** The words of a text of the journals that are scored. */
    words: { type: 'string', default: '40' },
    model: { type: 'string', default: 'smollm2' },
  },
})
const [WIDTH, WORDS] = [5, 200]
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-journal-attribution-'))
const at = (name: string) => path.join(folder, name)

function makeText(name: string, words: number): string {
  const random = randomFrom(hashParts('attributed', name))
  const pieces = Array.from({ length: words }, (_, i) => {
    const word = `w${Math.floor(5_000 ** random()).toString(36)}`
    return i % 17 === 16 ? `${word}.` : word
  })
  return pieces.join(' ')
}

/** The lines of a prompt whose answer has a piece of each proposal. */
function linesOf(i: number, words: number): JournalRecord[] {
  const prompt = `prompt-${i}`
  const usage = { calls: 1, inputTokens: 100, prefilledTokens: 100, outputTokens: words }
  const made = { prompt, voice: 0, engine: 'm', seed: 1, ms: 1000, finishReason: 'stop' as const, usage }
  const texts = Array.from({ length: WIDTH }, (_, k) => makeText(`${i} ${k}`, words))
  const share = Math.floor(words / WIDTH)
  const piece = (text: string, k: number) => text.split(' ').slice(k * share, (k + 1) * share)
  const answer = texts.flatMap(piece).join(' ')
  const proposals = texts.map((text, index): JournalRecord => {
    return { type: 'completion', ...made, layer: 0, index, text }
  })
  const end = { answer, finishReason: 'stop', degraded: false, usage: { ...usage, byEngine: {} }, ms: 2000 }
  return [
    { type: 'prompt', id: prompt, messages: [{ role: 'user', content: `Explain number ${i}.` }] },
    ...proposals,
    { type: 'layer', prompt, layer: 0, shown: texts.map((_, k) => k) },
    { type: 'completion', ...made, layer: 1, index: 0, text: answer },
    { type: 'layer', prompt, layer: 1, shown: [0] },
    { type: 'answer', prompt, ...end } as unknown as JournalRecord,
  ]
}

function writeJournal(count: number, words: number): string {
  const file = at(`${count}-${words}.journal`)
  const plan = makePlan({ proposers: ['m'], width: WIDTH, depth: 1, template: paperTemplate.id })
  const template = { id: paperTemplate.id, sha256: hashTemplate(paperTemplate) }
  const header = { type: 'header', version: 1, aft: '0.2.0', plan, template, engines: { m: 'm' } }
  const fd = fs.openSync(file, 'w')
  const write = (lines: object[]) =>
    fs.writeSync(fd, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  write([header])
  for (let i = 0; i < count; i++) write(linesOf(i, words))
  fs.closeSync(fd)
  return file
}

const rows: ({ command: string; prompts: number; scored?: number; bytes: number } & Measured)[] = []
try {
  for (const count of flags.prompts.split(',').map(Number)) {
    const file = writeJournal(count, WORDS)
    const measured = await runMeasured(['analyze', 'attribution', file])
    if (!measured.output.includes(`${count} aggregated answers`)) throw new Error(measured.output)
    rows.push({ command: 'attribution', prompts: count, bytes: fs.statSync(file).size, ...measured })
  }
  for (const scored of flags.scored.split(',').map(Number).filter(Boolean)) {
    for (const count of flags.prompts.split(',').map(Number)) {
      const file = writeJournal(count, Number(flags.words))
      const args = ['-m', flags.model, '--limit', `${scored}`, '-o', at('influence'), '--no-progress']
      const measured = await runMeasured(['analyze', 'influence', file, ...args])
      fs.rmSync(at('influence'), { recursive: true })
      rows.push({ command: 'influence', prompts: count, scored, bytes: fs.statSync(file).size, ...measured })
    }
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
const runs = rows.map(({ output, ...row }) => row)
printTable(
  ['command', 'prompts', 'scored', 'journal, MB', 'processor, s', 'peak MB'],
  runs.map(({ command, prompts, scored, bytes, cpuMs, peakBytes }) => [
    command,
    prompts,
    scored ?? 'all',
    (bytes / 1e6).toFixed(1),
    (cpuMs / 1000).toFixed(1),
    (peakBytes / 1e6).toFixed(0),
  ]),
)
saveResults('journal-attribution', 'npm run bench -- journal-attribution', {
  width: WIDTH,
  words: WORDS,
  runs,
})
