/** The same plan driven against an OpenAI-compatible server in the two ways that peers do it. Plain fetch. */
import type { Message, Sampling } from '../src/core/provider/engine.ts'
import { aggregatorMessages, proposerMessages } from '../src/core/templates.ts'
import { paperTemplate } from '../src/plans/wordings.ts'

export interface Job {
  messages: Message[]
  seed: number
}

export interface ServerRun {
  seconds: number
  outputTokens: number
  inputTokens: number
  calls: number
}

interface Settings {
  url: string
  width: number
  depth: number
  sampling: Sampling
}

/**
 * The published schedule (arXiv 2501.11877's released code): prompts in batches, every prompt sent `width`
 * times, and all of a batch waits for its slowest completion after every layer.
 */
export async function runPublishedSchedule(
  jobs: Job[],
  settings: Settings,
  batchSize = 8,
): Promise<ServerRun> {
  const run = startRun()
  for (let at = 0; at < jobs.length; at += batchSize) {
    const batch = jobs.slice(at, at + batchSize)
    let proposals: string[][] = batch.map(() => [])
    for (let layer = 0; layer <= settings.depth; layer++) {
      const isLast = layer === settings.depth
      const copies = isLast ? 1 : settings.width
      proposals = await Promise.all(
        batch.map(async (job, i) => {
          const messages = layerMessages(job, proposals[i] as string[])
          const sent = Array.from({ length: copies }, (_, copy) =>
            complete(run, settings, { messages, seed: job.seed + 100 * layer + copy, n: 1, isLast }),
          )
          return (await Promise.all(sent)).flat()
        }),
      )
    }
  }
  return finish(run, settings.url)
}

/** Each prompt by itself: one request with `n` per layer, without waiting for other prompts. */
export async function runWithN(jobs: Job[], settings: Settings): Promise<ServerRun> {
  const run = startRun()
  await Promise.all(
    jobs.map(async (job) => {
      let proposals: string[] = []
      for (let layer = 0; layer <= settings.depth; layer++) {
        const isLast = layer === settings.depth
        const messages = layerMessages(job, proposals)
        const n = isLast ? 1 : settings.width
        proposals = await complete(run, settings, { messages, seed: job.seed + 100 * layer, n, isLast })
      }
    }),
  )
  return finish(run, settings.url)
}

function layerMessages(job: Job, proposals: string[]): Message[] {
  if (proposals.length === 0) return proposerMessages(paperTemplate, job.messages)
  return aggregatorMessages(
    paperTemplate,
    job.messages,
    proposals.map((text) => ({ text })),
  )
}

interface OpenRun {
  start: number
  texts: string[]
  inputTokens: number
  calls: number
}

const startRun = (): OpenRun => ({ start: performance.now(), texts: [], inputTokens: 0, calls: 0 })

/** llama-server's usage counts one choice only: its tokenizer counts the texts, after the clock has stopped. */
async function finish({ start, texts, ...run }: OpenRun, url: string): Promise<ServerRun> {
  const seconds = (performance.now() - start) / 1000
  return { ...run, seconds, outputTokens: await countTokens(url, texts) }
}

interface Call {
  messages: Message[]
  seed: number
  n: number
  isLast: boolean
}

async function complete(run: OpenRun, { url, sampling }: Settings, call: Call): Promise<string[]> {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: call.messages,
      n: call.n,
      seed: call.seed,
      temperature: sampling.temperature,
      top_p: call.isLast ? 1 : sampling.topP,
      top_k: 0,
      min_p: 0,
      max_tokens: sampling.maxTokens,
    }),
  })
  if (!response.ok) throw new Error(`the server answered ${response.status}: ${await response.text()}`)
  const body = (await response.json()) as {
    choices: { message: { content: string }; finish_reason: string }[]
    usage: { prompt_tokens: number; completion_tokens: number }
  }
  run.calls++
  run.inputTokens += body.usage.prompt_tokens * call.n
  const texts = body.choices.map((choice) => choice.message.content)
  run.texts.push(...texts)
  return texts
}

async function countTokens(url: string, texts: string[]): Promise<number> {
  const counts = texts.map(async (content) => {
    const response = await fetch(url.replace(/v1$/, 'tokenize'), {
      method: 'POST',
      body: JSON.stringify({ content }),
    })
    return ((await response.json()) as { tokens: number[] }).tokens.length
  })
  return (await Promise.all(counts)).reduce((a, b) => a + b, 0)
}
