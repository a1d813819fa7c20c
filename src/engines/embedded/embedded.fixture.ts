/** For tests of the embedded engine: the real one, with a small model. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import type { CompletionEnd, CompletionRequest, EngineEvent, Message } from '../../core/provider/engine.ts'
import { resolveModel } from '../models/models.ts'
import { openEmbedded } from './embedded.ts'

/** A conversation of one message. */
export const user = (content: string): Message[] => [{ role: 'user', content }]
/** About `count` tokens that no other test has. */
export const longText = (count: number, salt: string) => `${salt} ${'one two three four '.repeat(count / 4)}`

/** A request with the seeds 1 to n. */
export function ask(
  content: string,
  more: Partial<Omit<CompletionRequest, 'sampling'>> & { maxTokens?: number } = {},
): CompletionRequest {
  const { maxTokens = 16, n = 1, ...rest } = more
  const sampling = { temperature: 1, maxTokens }
  return { messages: user(content), n, seeds: Array.from({ length: n }, (_, i) => i + 1), sampling, ...rest }
}

/** Opens the model for the tests of a file. `collect` and `complete` ask it if they get no other engine. */
export async function useEmbedded() {
  const { file } = await resolveModel('smollm2')
  // One thread: two processes that each want both cores wait for each other at every step.
  const settings = { file, threads: 1 }
  const engine = await openEmbedded(settings)
  const folder = await mkdtemp(path.join(tmpdir(), 'aft-embedded-'))
  afterAll(async () => {
    await engine.close()
    await rm(folder, { recursive: true })
  })
  async function collect(request: CompletionRequest, from = engine): Promise<EngineEvent[]> {
    const events: EngineEvent[] = []
    for await (const event of from.generate(request)) events.push(event)
    return events
  }
  /** The completions that ended, by index. */
  async function complete(request: CompletionRequest, from = engine): Promise<CompletionEnd[]> {
    const ends = (await collect(request, from)).filter((event) => event.type === 'completion-end')
    return ends.sort((a, b) => a.index - b.index)
  }
  return { file, settings, engine, folder, collect, complete }
}

/** Prompt tokens that completions had to read. */
export const prefilledBy = (ends: CompletionEnd[]) =>
  ends.reduce((sum, { usage }) => sum + (usage.prefilledTokens ?? 0), 0)
