/** Answers the first AlpacaEval prompts by `aft run` with every kind of real engine, and through five kills. */
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveModel } from '../src/engines/models/models.ts'
import { type LlamaServer, startLlamaServer } from './peers/llama-server.ts'
import { startProxyWithoutN } from './peers/n-ignoring-proxy.ts'

const root = path.join(import.meta.dirname, '..')
const source = path.join(root, '../shared/data/alpaca-eval/outputs/gpt4_1106_preview.json')
const COUNT = 8
const flags = ['--width', '5', '--depth', '2', '--max-tokens', '32', '--seed', '7']
const embedded = ['--model', 'smollm2', '--threads', '2']
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-alpaca-'))
const prompts = path.join(folder, 'prompts.jsonl')

interface AnswerLine {
  id: string
  answer?: string
  degraded?: boolean
  usage?: { calls: number; inputTokens: number; prefilledTokens: number | null; outputTokens: number }
  error?: { message: string }
}

const readLines = <T>(file: string) =>
  fs
    .readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T)

async function run(out: string, ...more: string[]): Promise<AnswerLine[]> {
  const args = ['bin/aft.js', 'run', prompts, '-o', out, ...flags, ...more]
  await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 })
  return readLines<AnswerLine>(out)
}

/** Lists the completions of a journal as `prompt/layer/index`. Each appears once if nothing was made twice. */
function completionsIn(journal: string): string[] {
  const records = readLines<{ type: string; prompt: string; layer: number; index: number }>(journal)
  return records.filter((r) => r.type === 'completion').map((r) => `${r.prompt}/${r.layer}/${r.index}`)
}

function expectWhole(answers: AnswerLine[], journal: string): void {
  expect(answers.map((a) => a.id)).toEqual(Array.from({ length: COUNT }, (_, i) => String(i)))
  expect(answers.filter((a) => a.error)).toEqual([])
  expect(answers.every((a) => (a.answer ?? '').trim() !== '')).toBe(true)
  const made = completionsIn(journal)
  expect(made.length).toBe(COUNT * 11)
  expect(new Set(made).size).toBe(made.length)
}

const sum = (answers: AnswerLine[], field: 'calls' | 'inputTokens' | 'prefilledTokens' | 'outputTokens') =>
  answers.reduce((total, a) => total + (a.usage?.[field] ?? 0), 0)

describe.skipIf(!fs.existsSync(source))(
  `${COUNT} AlpacaEval prompts (skipped where their file is not beside the project)`,
  () => {
    let server: LlamaServer
    beforeAll(async () => {
      const rows = (JSON.parse(fs.readFileSync(source, 'utf8')) as { instruction: string }[]).slice(0, COUNT)
      fs.writeFileSync(
        prompts,
        rows.map(({ instruction }) => `${JSON.stringify({ instruction })}\n`).join(''),
      )
      const { file } = await resolveModel('smollm2')
      server = await startLlamaServer({ model: file, contextTokens: 30_000 })
    })
    afterAll(async () => {
      await server?.close()
      fs.rmSync(folder, { recursive: true, force: true })
    })

    test('the embedded model answers all of them and reads each prompt once', async () => {
      const out = path.join(folder, 'embedded.jsonl')
      const answers = await run(out, ...embedded)
      expectWhole(answers, `${out}.journal`)
      expect(sum(answers, 'calls')).toBe(COUNT * 3)
      expect(sum(answers, 'prefilledTokens')).toBeLessThan(0.4 * sum(answers, 'inputTokens'))
    })

    test('killed five times and started again, the embedded model makes no completion twice and loses none', async () => {
      const out = path.join(folder, 'killed.jsonl')
      const args = ['bin/aft.js', 'run', prompts, '-o', out, ...flags, ...embedded]
      let before = 0
      for (let kill = 0; kill < 5; kill++) {
        const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' })
        const ended = new Promise((resolve) => child.once('exit', resolve))
        await Promise.race([
          ended,
          waitForCompletions(`${out}.journal`, before + 5 + Math.ceil(Math.random() * 20)),
        ])
        child.kill('SIGKILL')
        await ended
        before = fs.existsSync(`${out}.journal`) ? countLines(`${out}.journal`) : 0
      }
      expectWhole(await run(out, ...embedded), `${out}.journal`)
    })

    test('a server that supports n is asked once per layer if places are free', async () => {
      const out = path.join(folder, 'server.jsonl')
      const answers = await run(out, '--model', `${server.url}#smollm2`, '--concurrency', '10')
      expectWhole(answers, `${out}.journal`)
      expect(sum(answers, 'calls')).toBeLessThan(COUNT * 11)
      expect(sum(answers, 'outputTokens')).toBeGreaterThan(COUNT * 11)
    })

    test('a server that ignores n is asked for each completion', async () => {
      const proxy = await startProxyWithoutN(server.url)
      try {
        const out = path.join(folder, 'no-n.jsonl')
        const answers = await run(out, '--model', `${proxy.url}#smollm2`, '--concurrency', '10')
        expectWhole(answers, `${out}.journal`)
        expect(sum(answers, 'calls')).toBeGreaterThanOrEqual(COUNT * 11)
      } finally {
        await proxy.close()
      }
    })

    test('a model of the AI SDK, named in a configuration, answers them too', async () => {
      const config = path.join(root, `aft-alpaca-${process.pid}.config.ts`)
      fs.writeFileSync(
        config,
        `import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
       export default { engines: { sdk: createOpenAICompatible({ name: 'local', baseURL: '${server.url}' })('smollm2') } }`,
      )
      try {
        const out = path.join(folder, 'ai-sdk.jsonl')
        const answers = await run(out, '--model', 'sdk', '--config', config, '--concurrency', '10')
        expectWhole(answers, `${out}.journal`)
      } finally {
        fs.rmSync(config)
      }
    })
  },
)

async function waitForCompletions(journal: string, lines: number): Promise<void> {
  while (!fs.existsSync(journal) || countLines(journal) < lines) await delay(50)
}

const countLines = (file: string) => fs.readFileSync(file, 'utf8').split('\n').length - 1
