/** Influence, scored by a server that answers as vLLM 0.32 does. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { aftHere } from '../../../../test/aft-here.ts'
import type { Message } from '../../../core/provider/engine.ts'

const cwd = mkdtempSync(path.join(tmpdir(), 'influence-'))
const aft = (...args: string[]) => aftHere(args, { cwd })
const write = (name: string, value: unknown) =>
  writeFileSync(path.join(cwd, name), typeof value === 'string' ? value : JSON.stringify(value))

beforeAll(async () => {
  const rules = [
    { when: 'Drafts', replies: ['It is the Oder.'] },
    { pick: 'index', replies: ['Rhine?', 'The Oder.', 'Elbe?'] },
  ]
  write('river.json', rules)
  write('p.jsonl', ['East?', 'North?'].map((prompt) => JSON.stringify({ prompt })).join('\n'))
  const run = [
    'run',
    'p.jsonl',
    '-o',
    'a.jsonl',
    '--model',
    'scripted:river.json',
    '--width',
    '3',
    '--depth',
    '1',
  ]
  expect(await aft(...run)).toMatchObject({ code: 0 })
})

/** A token is a word. It is likelier after a prompt with the Oder, and a little if the Oder is the first proposal. */
function logprob(messages: Message[]): number {
  const text = messages.map(({ content }) => String(content)).join(' ')
  const [oder, first] = [text.includes('The Oder.'), /1\. The Oder\./.test(text)]
  return oder ? (first ? -0.5 : -1) : -3
}

async function startVllm() {
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString())
    const { messages, prompt_logprobs: wanted } = body as { messages: Message[]; prompt_logprobs?: number }
    const [last, before] = [messages.at(-1) as Message, messages.slice(0, -1)]
    const isWhole = last.role === 'assistant'
    const tokens = isWhole ? ['<p>', '<p>', ...String(last.content).split(/(?= )/)] : ['<p>', '<p>']
    const scores = tokens.map((token, i) =>
      i === 0 ? null : { [i]: { logprob: logprob(before), rank: 1, decoded_token: token } },
    )
    const usage = { prompt_tokens: tokens.length, completion_tokens: 1 }
    response.end(
      JSON.stringify({ choices: [], usage, ...(wanted !== undefined && { prompt_logprobs: scores }) }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1#m`
}

test('what an answer owes to each proposal is how much less likely it is without it', async () => {
  const model = await startVllm()
  const args = ['analyze', 'influence', 'a.jsonl.journal', '--model', model, '-o', 'out']
  const { code, stdout } = await aft(...args)
  expect(code).toBe(0)
  expect(stdout).toMatch(/2 answers\n/)
  const { conditions, answers, n } = JSON.parse(readFileSync(path.join(cwd, 'out/result.json'), 'utf8'))
  const seen = conditions.map(({ condition, difference }: { condition: string; difference: number }) => [
    condition,
    difference,
  ])
  expect(seen).toEqual([
    ['all proposals', null],
    ['without proposal 1', -0.5],
    ['without proposal 2', 2],
    ['without proposal 3', 0],
    ['in reverse order', 0],
    ['no proposals', 2],
  ])
  expect([n, answers.length, answers[0].scores['all proposals'].tokens]).toEqual([2, 2, 4])
  expect((await aft(...args)).stdout).toBe(stdout)
})

test('a run without proposals, and one with another template, are refused', async () => {
  const of = (...args: string[]) =>
    aft('analyze', 'influence', ...args, '--model', 'http://127.0.0.1:9/v1#m', '-o', 'none')
  expect(await of('a.jsonl.journal', '--template', 'aft-1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('was made with the template aft-2'),
  })
  const single = [
    'run',
    'p.jsonl',
    '-o',
    'single.jsonl',
    '--model',
    'scripted:river.json',
    '--strategy',
    'single',
  ]
  expect(await aft(...single)).toMatchObject({ code: 0 })
  expect((await of('single.jsonl.journal')).stderr).toContain(
    'expected answers made from two proposals or more',
  )
})
