/** Raw text at a server: `/completions` continues it, without a chat template. */
import { type CompletionRequest, isJson, type Message, textOf } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { type SentBody, toBody } from './request.ts'

/** Checks a request for raw text. @throws EngineError for what it cannot have: tools, JSON, images */
export function checkRaw({ messages, tools, responseFormat }: CompletionRequest, engine: string): void {
  const part = messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .find(({ type }) => type !== 'text')
  const found = tools?.length ? 'tools' : isJson(responseFormat) ? 'a response format' : part?.type
  if (found) throw new EngineError(engine, 'refused', `raw text cannot have ${found}: leave out --raw`)
}

/** The body for `n` continuations of a text. */
export function toRawBody(request: CompletionRequest, at: Parameters<typeof toBody>[1]): SentBody {
  const { messages, logprobs } = request
  // A rewriting of turns does not concern a text.
  const sent = toBody({ ...request, messages: [], logprobs: undefined }, at)
  const { messages: _, ...body } = sent.body
  const scores = logprobs === undefined ? {} : { logprobs: Math.max(1, logprobs) }
  return { ...sent, body: { ...body, prompt: joinText(messages), ...scores } }
}

/** The text that is continued: the texts of all messages, as an embedded model joins them. */
export function joinText(messages: Message[]): string {
  return messages.map(textOf).join('')
}
