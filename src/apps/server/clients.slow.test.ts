/**
 * Popular clients against `aft serve` with the embedded model get a right answer and the right usage.
 * Takes about a minute, and installs the Python packages once.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, streamText } from 'ai'
import { OpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpuSecondsOf } from '../../../test/cpu-time.ts'
import { runWithPackages } from '../../../test/peers/node-packages.ts'
import { installPython } from '../../../test/peers/python.ts'

const root = path.join(import.meta.dirname, '../../..')
const question = 'What is the capital of France?'
const messages = [{ role: 'user' as const, content: question }]
const ask = { model: 'aft-fast', messages, max_tokens: 24, temperature: 0 }
let child: ChildProcess
let url: string
let client: OpenAI

interface Trace {
  layers: { completions: { usage: { inputTokens: number; outputTokens: number } }[] }[]
}
type WireUsage = { prompt_tokens: number; completion_tokens: number; total_tokens: number }

/** Checks that usage is the sum over all calls of the trace: three proposals and one aggregation. */
function expectUsage(usage: WireUsage, { layers }: Trace): void {
  const calls = layers.flatMap((layer) => layer.completions)
  const sum = (of: (usage: Trace['layers'][0]['completions'][0]['usage']) => number) =>
    calls.reduce((total, call) => total + of(call.usage), 0)
  expect(calls.length).toBe(4)
  expect(usage.prompt_tokens).toBe(sum((u) => u.inputTokens))
  expect(usage.completion_tokens).toBe(sum((u) => u.outputTokens))
  expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens)
}

/** Keeps only the billed usage. The part of a prompt that is cached changes from request to request. */
const countsOf = (usage?: WireUsage | null) => [
  usage?.prompt_tokens,
  usage?.completion_tokens,
  usage?.total_tokens,
]

async function python(packages: string[], args: string[], env: Record<string, string> = {}) {
  const file = installPython(packages)
  const options = { env: { ...process.env, ...env }, maxBuffer: 1e8 }
  const { stdout } = await promisify(execFile)(file, args, options)
  return stdout
}

beforeAll(async () => {
  child = spawn(process.execPath, [path.join(root, 'bin/aft.js'), 'serve', '--port', '0'], {
    cwd: mkdtempSync(path.join(tmpdir(), 'clients-')),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once((child.stdout as NodeJS.ReadableStream).setEncoding('utf8'), 'data')
  url = `${line.trim()}/v1`
  client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 })
})
afterAll(async () => {
  child.kill('SIGTERM')
  expect((await once(child, 'exit'))[0]).toBe(0)
})

describe('openai (npm)', () => {
  test('gets chat completions, whole and streamed', async () => {
    const whole = await client.chat.completions.create(ask)
    expect(whole.choices[0]?.message.content).toContain('Paris')
    expectUsage(whole.usage as WireUsage, (whole as unknown as { aft: Trace }).aft)
    const stream = client.chat.completions.stream({ ...ask, stream_options: { include_usage: true } })
    const streamed = await stream.finalChatCompletion()
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content)
    expect(countsOf(streamed.usage)).toEqual(countsOf(whole.usage))
  })

  test('gets one log probability per billed token, without the end token', async () => {
    const { choices, usage } = await client.chat.completions.create({
      ...ask,
      model: 'single',
      logprobs: true,
    })
    const tokens = choices[0]?.logprobs?.content ?? []
    expect(tokens.map((t) => t.token).join('')).toBe(choices[0]?.message.content)
    expect(usage?.completion_tokens).toBe(tokens.length + 1)
  })

  test('gets responses, whole and streamed', async () => {
    const body = { model: 'aft-fast', input: question, max_output_tokens: 24, temperature: 0 }
    const whole = await client.responses.create(body)
    expect(whole.output_text).toContain('Paris')
    const streamed = await client.responses.stream(body).finalResponse()
    expect(streamed.output_text).toBe(whole.output_text)
    expect(streamed.usage?.total_tokens).toBe(whole.usage?.total_tokens)
  })

  test('gets an answer that follows its schema, by a grammar of the engine', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
      required: ['city'],
    }
    const format = { type: 'json_schema' as const, json_schema: { name: 'x', schema } }
    const { choices } = await client.chat.completions.create({
      ...ask,
      max_tokens: 24,
      response_format: format,
    })
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ city: 'Paris' })
  })

  test('stops the model if it disconnects', async () => {
    const stream = await client.chat.completions.create({
      ...ask,
      max_tokens: 2_000,
      temperature: 1,
      stream: true,
    })
    for await (const _ of stream) break
    const running = async () =>
      /aft_running (\d+)/.exec(await (await fetch(`${url.replace('/v1', '')}/metrics`)).text())?.[1]
    const before = cpuSecondsOf([child.pid as number])
    await expect.poll(running).toBe('0')
    // Four texts of 2,000 tokens would take minutes.
    expect(cpuSecondsOf([child.pid as number]) - before).toBeLessThanOrEqual(5)
  })
})

test('openai (PyPI): chat completions and responses, whole and streamed', async () => {
  const script = path.join(root, 'test/peers/openai-client.py')
  const came = JSON.parse(await python(['openai==3.57.0'], [script, url]))
  for (const text of [
    came.whole,
    came.streamed,
    came.loop,
    came.response,
    came.response_streamed,
    came.response_final,
  ]) {
    expect(text).toContain('Paris')
  }
  expectUsage(came.usage, came.aft)
  expect(countsOf(came.streamed_usage)).toEqual(countsOf(came.usage))
  expect(came.response_usage.total_tokens).toBe(came.usage.total_tokens)
  for (const text of [came.second, came.follow_up]) expect(text).toMatch(/\w/)
  expect(came.refused).toBe('messages')
  expect(came.models).toContain('aft-fast')
})

test('@ai-sdk/openai-compatible: whole and streamed', async () => {
  const model = createOpenAICompatible({ name: 'aft', baseURL: url, includeUsage: true })('aft-fast')
  const settings = { model, prompt: question, maxOutputTokens: 24, temperature: 0 }
  const whole = await generateText(settings)
  expect(whole.text).toContain('Paris')
  const streamed = streamText(settings)
  expect(await streamed.text).toBe(whole.text)
  expect((await streamed.usage).totalTokens).toBe(whole.usage.totalTokens)
  const { usage } = await client.chat.completions.create(ask)
  expect(whole.usage).toMatchObject({
    inputTokens: usage?.prompt_tokens,
    outputTokens: usage?.completion_tokens,
  })
})

interface AnthropicUsage {
  input_tokens: number
  output_tokens: number
  cache_read_input_tokens: number
}
interface AnthropicCame {
  usage: AnthropicUsage
  finalUsage: AnthropicUsage
  aft: Trace
  counted: number
  models: string[]
  [text: string]: unknown
}

/** The same usage with OpenAI's names. */
function toWireUsage({
  input_tokens,
  cache_read_input_tokens: cached,
  output_tokens,
}: AnthropicUsage): WireUsage {
  const prompt_tokens = input_tokens + cached
  return { prompt_tokens, completion_tokens: output_tokens, total_tokens: prompt_tokens + output_tokens }
}

function expectAnthropic(came: AnthropicCame): void {
  for (const name of ['whole', 'streamed', 'final']) expect(came[name]).toContain('Paris')
  expect(came.second).toMatch(/\w/)
  expectUsage(toWireUsage(came.usage), came.aft)
  expect(toWireUsage(came.finalUsage)).toEqual(toWireUsage(came.usage))
  expect(came.counted).toBeGreaterThan(5)
  expect(came.models).toContain('aft-fast')
}

test('anthropic (npm): messages whole, streamed, by events, a second turn, counts and errors', async () => {
  const script = path.join(root, 'test/peers/anthropic-client.mjs')
  const address = [url.replace(/\/v1$/, '')]
  const came = await runWithPackages(['@anthropic-ai/sdk@1.14.0'], script, address)
  expectAnthropic(came as AnthropicCame)
  expect(came).toMatchObject({
    events: expect.stringContaining('Paris'),
    refused: ['BadRequestError', 400],
    missing: ['NotFoundError', 404],
  })
})

test('anthropic (PyPI): messages whole and streamed, a second turn, counts and errors', async () => {
  const script = path.join(root, 'test/peers/anthropic-client.py')
  const came = JSON.parse(await python(['anthropic==2.14.0'], [script, url.replace(/\/v1$/, '')]))
  expectAnthropic(came)
  expect(came.refused).toBe('invalid_request_error')
})

test.each([
  ['6', ['ai@6.0.325', '@ai-sdk/openai@3.0.141', '@ai-sdk/anthropic@3.0.140']],
  ['7', ['ai@7.0.173', '@ai-sdk/openai@4.0.118', '@ai-sdk/anthropic@4.0.105']],
])(
  'ai %s: the providers of OpenAI (its default, and chat) and of Anthropic, two turns each',
  async (_, packages) => {
    type Turns = Record<'first' | 'streamed' | 'second', string>
    type Counts = Record<'usage' | 'streamedUsage', { totalTokens: number }>
    const script = path.join(root, 'test/peers/ai-sdk-clients.mjs')
    const came = (await runWithPackages(packages, script, [url])) as Record<string, Turns & Counts>
    expect(Object.keys(came)).toEqual(['responses', 'chat', 'anthropic'])
    for (const { first, streamed, second, usage, streamedUsage } of Object.values(came)) {
      expect(first).toContain('Paris')
      expect(streamed).toBe(first)
      expect(second).toMatch(/\w/)
      expect(streamedUsage.totalTokens).toBe(usage.totalTokens)
    }
  },
)

test('litellm: the wires of OpenAI and of Anthropic, whole and streamed', async () => {
  const script = path.join(root, 'test/peers/litellm-client.py')
  const offline = { LITELLM_LOCAL_MODEL_COST_MAP: 'True' }
  const stdout = await python(['litellm==1.110.2'], [script, url], offline)
  const came = JSON.parse(stdout.trim().split('\n').at(-1) as string)
  const { usage } = await client.chat.completions.create(ask)
  for (const wire of ['openai', 'anthropic']) {
    expect(came[wire].whole).toContain('Paris')
    expect(came[wire].streamed).toBe(came[wire].whole)
    expect(countsOf(came[wire].usage)).toEqual(countsOf(usage))
  }
})

test('curl: whole and streamed', async () => {
  const curl = async (body: object) => {
    const args = [
      '-sS',
      `${url}/chat/completions`,
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify(body),
    ]
    return (await promisify(execFile)('curl', ['-N', ...args])).stdout
  }
  const whole = JSON.parse(await curl(ask))
  expect(whole.choices[0].message.content).toContain('Paris')
  expectUsage(whole.usage, whole.aft)
  const streamed = await curl({ ...ask, stream: true })
  const lines = streamed.split('\n').filter((line) => line.startsWith('data: {'))
  const texts = lines.map((line) => JSON.parse(line.slice(6)).choices[0]?.delta.content ?? '')
  expect(texts.join('')).toBe(whole.choices[0].message.content)
  expect(streamed.trimEnd().endsWith('data: [DONE]')).toBe(true)
})

test('lm_eval runs one of its own tasks through local-chat-completions', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lm-eval-'))
  const rows = [
    { question, answer: 'Paris' },
    { question: 'What is the capital of Italy?', answer: 'Rome' },
    { question: 'What is the capital of Japan?', answer: 'Tokyo' },
  ]
  writeFileSync(path.join(folder, 'rows.json'), rows.map((row) => JSON.stringify(row)).join('\n'))
  writeFileSync(
    path.join(folder, 'capitals.yaml'),
    `task: capitals
dataset_path: json
dataset_kwargs: { data_files: { test: ${path.join(folder, 'rows.json')} } }
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: { until: ["\\n\\n"], max_gen_toks: 16, temperature: 0, do_sample: false }
filter_list:
  - name: found
    filter: [{ function: regex, regex_pattern: "(Paris|Rome|Tokyo)" }, { function: take_first }]
metric_list: [{ metric: exact_match, aggregation: mean, higher_is_better: true }]
`,
  )
  const out = path.join(folder, 'out')
  const model = `model=aft-fast,base_url=${url}/chat/completions,num_concurrent=3,max_retries=2,tokenized_requests=False`
  const args = ['run', '--model', 'local-chat-completions', '--model_args', model, '--tasks', 'capitals']
  const files = ['--include_path', folder, '--apply_chat_template', '--output_path', out, '--log_samples']
  const offline = { HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1', HF_HOME: folder, OPENAI_API_KEY: 'none' }
  await python(['lm_eval[api]==0.4.13'], ['-m', 'lm_eval', ...args, ...files], offline)
  const [results] = globSync(`${out}/**/results_*.json`)
  const score = JSON.parse(readFileSync(results as string, 'utf8')).results.capitals['exact_match,found']
  expect(score).toBe(1)
})

test('alpaca_eval gets three answers through its own client', async () => {
  const script = path.join(root, 'test/peers/alpaca-answers.py')
  const instructions = [question, 'What is the capital of Italy?', 'What is the capital of Japan?']
  const env = { OPENAI_API_KEY: 'none', OPENAI_API_BASE: url, OPENAI_BASE_URL: url }
  const stdout = await python(['alpaca_eval==0.6.6'], [script, JSON.stringify(instructions)], env)
  const { outputs, tokens } = JSON.parse(stdout.trim().split('\n').at(-1) as string)
  expect(outputs.map((text: string) => /Paris|Rome|Tokyo/.exec(text)?.[0])).toEqual([
    'Paris',
    'Rome',
    'Tokyo',
  ])
  const { usage } = await client.chat.completions.create(ask)
  expect(tokens[0]).toBe(usage?.total_tokens)
})
