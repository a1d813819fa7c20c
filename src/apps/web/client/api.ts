/** The requests of the page to its server. */
import type { Message } from '../../../core/provider/engine.ts'
import type { AftEvent } from '../../../core/result.ts'

/** The models, engines and limits of the server. */
export interface Offer {
  models: string[]
  engines: string[]
  limits: { width: number; depth: number; maxTokens: number }
  defaults: { strategy: string; width: number; depth: number; temperature?: number; maxTokens?: number }
  /** True if the server keeps corrected answers. */
  fixes: boolean
}

/** The reader's settings, as typed. An empty field means the preset's value. */
export interface Settings {
  model: string
  strategy: string
  width: string
  depth: string
  proposers: string[]
  aggregator: string
  temperature: string
  maxTokens: string
  seed: string
  system: string
}

/** Settings with all fields empty. */
export const defaultSettings: Settings = {
  model: 'aft',
  strategy: '',
  width: '',
  depth: '',
  proposers: [],
  aggregator: '',
  temperature: '',
  maxTokens: '',
  seed: '',
  system: '',
}

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

/** Sends a request. @param path relative to the page, because another server may mount the page under a path */
async function send(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const key = keyOfTab.get()
  const response = await fetch(path, {
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
    const { value, done } = await reader.read()
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
  if (!isAnswered) throw new Error('the connection was lost')
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
