/** The requests of the page to its server. */
import type { Message } from '../../../core/provider/engine.ts'
import type { AftEvent } from '../../../core/result.ts'
import type { RunStatus } from '../../../run/queue/status.ts'

/** The models, engines and limits of the server. */
export interface Offer {
  models: string[]
  engines: string[]
  limits: { width: number; depth: number; maxTokens: number }
  defaults: { strategy: string; width: number; depth: number; temperature?: number; maxTokens?: number }
  /** True if the server keeps corrected answers. */
  fixes: boolean
  /** True if the server keeps ratings. */
  ratings: boolean
  /** True if the server shows a queue. */
  queue: boolean
  /** Number of journals that the server shows. */
  runs: number
}

/** The settings of a reader who chose none. */
export const defaultSettings = {
  model: 'aft',
  strategy: '',
  width: '',
  depth: '',
  proposers: [] as string[],
  aggregator: '',
  temperature: '',
  maxTokens: '',
  seed: '',
  system: '',
}

/** The reader's settings, as typed. An empty field means the preset's value. */
export type Settings = typeof defaultSettings

/** The API key. Unlike the settings, it is kept only in this tab. */
export const keyOfTab = {
  get: () => sessionStorage.getItem('aft.key') ?? '',
  set: (key: string) => sessionStorage.setItem('aft.key', key),
}

/** The error if the server answers with an error. */
export class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The error if nothing answers at the page's address. */
export class Unreachable extends Error {}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init)
  } catch (error) {
    init.signal?.throwIfAborted()
    throw new Unreachable(`${location.host} does not answer. Is aft serve still running there?`, {
      cause: error,
    })
  }
}

/** Sends a request. @param path relative to the page, because another server may mount the page under a path */
async function send(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const key = keyOfTab.get()
  const response = await reach(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key && { authorization: `Bearer ${key}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal,
  })
  if (response.ok) return response
  const told = await response.json().catch(() => undefined)
  throw new Refused(response.status, told?.error?.message ?? `the server answered ${response.status}`)
}

/** Asks what the server offers. @throws Refused */
export async function readOffer(): Promise<Offer> {
  return (await send('v1/aft')).json()
}

/** Reads the runs of the queue that the server shows. @throws Refused */
export async function readQueue(signal: AbortSignal): Promise<RunStatus[]> {
  return (await (await send('v1/aft/queue', undefined, signal)).json()).runs
}

/** A journal that the server shows; `bytes` is null while there is no such file. */
export interface ShownRun {
  name: string
  bytes: number | null
}

/** Lists the journals that the server shows. @throws Refused, Unreachable */
export async function readRuns(): Promise<ShownRun[]> {
  return (await (await send('v1/aft/runs')).json()).runs
}

/** Reads whole lines of such a journal, from a byte on. @throws Refused, Unreachable */
export async function readRunPiece(
  place: number,
  { file, next }: { file: string; next: number },
): Promise<{ file: string; from: number; next: number; text: string }> {
  return (await send(`v1/aft/runs/${place}?from=${next}&file=${file}`)).json()
}

/** Reads the page that an exported conversation is put into. @throws Refused */
export async function readExportShell(): Promise<string> {
  return (await send('page/export.html')).text()
}

/** Reads a journal that comes with the page. @throws Refused, Unreachable */
export async function readSample(name: 'demo.jsonl' | 'demo-single.jsonl'): Promise<string> {
  return (await send(`page/${name}`)).text()
}

/** The settings that differ from the preset's, in words. */
export function describeSettings(settings: Settings): string {
  const { model, strategy, width, depth, temperature, maxTokens, seed, proposers, aggregator, system } =
    settings
  const parts = [
    model,
    strategy,
    width && `width ${width}`,
    depth && `depth ${depth}`,
    temperature && `temperature ${temperature}`,
    maxTokens && `at most ${maxTokens} tokens`,
    proposers.length > 0 && `proposers ${proposers.join(', ')}`,
    aggregator && `aggregator ${aggregator}`,
    seed && `seed ${seed}`,
    system.trim() && 'with a system prompt',
  ]
  return parts.filter(Boolean).join(' · ')
}

/** Makes the body of a request. It has only fields that were set; the preset decides the rest. */
export function toBody(messages: Message[], settings: Settings): object {
  const number = (text: string) => (text.trim() === '' ? undefined : Number(text))
  const { strategy, aggregator, proposers } = settings
  return {
    model: settings.model || 'aft',
    messages,
    stream: true,
    temperature: number(settings.temperature),
    max_tokens: number(settings.maxTokens),
    seed: number(settings.seed),
    aft: {
      ...(strategy && { strategy }),
      width: number(settings.width),
      depth: number(settings.depth),
      ...(proposers.length > 0 && { proposers }),
      ...(aggregator && { aggregators: [aggregator] }),
    },
  }
}

/**
 * Asks a question and passes on every event. Resolves after the event of the answer.
 * @throws Refused, or the signal's reason
 */
export async function ask(
  body: object,
  onEvent: (event: AftEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await send('v1/aft', body, signal)
  const reader = (response.body as ReadableStream<BufferSource>)
    .pipeThrough(new TextDecoderStream())
    .getReader()
  let rest = ''
  let isAnswered = false
  for (;;) {
    const { value, done } = await reader.read().catch((error: unknown) => {
      signal.throwIfAborted()
      throw new Unreachable(LOST, { cause: error })
    })
    if (done) break
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue
      const event = JSON.parse(line.slice('data: '.length))
      if (event.error) throw new Refused(event.error.status ?? 500, event.error.message)
      isAnswered ||= event.type === 'answer'
      onEvent(event)
    }
  }
  if (!isAnswered) throw new Unreachable(LOST)
}

const LOST = 'The connection to the server was lost before the end of the answer.'

/** What a question would take at most. */
export interface Estimate {
  completions: number
  requests: number
  /** US dollars; absent if a price is not known. */
  cost?: number
}

/** Asks what a question would take. No model is asked. @throws Refused, Unreachable, or the signal's reason */
export async function readEstimate(body: object, signal: AbortSignal): Promise<Estimate> {
  return (await send('v1/aft/estimate', body, signal)).json()
}

/** A corrected answer, with all that a training example needs. */
export interface Fix {
  messages: { role: string; content: string }[]
  proposals: { text: string; model: string }[]
  model: string
  completion: string
  template?: string
}

/** Sends a corrected answer. @throws Refused */
export async function sendFix(fix: Fix): Promise<void> {
  await send('v1/aft/fixes', fix)
}

/** What a reader says of an answer. */
export interface Rating {
  rating?: 'good' | 'bad'
  comment?: string
  id?: string
  source: string
  question: string
  answer: string
  model?: string
  seed?: number
}

/** Sends a rating to the file of the server. @throws Refused, Unreachable */
export async function sendRating(rating: Rating): Promise<void> {
  await send('v1/aft/ratings', rating)
}
