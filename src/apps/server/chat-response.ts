/** Writes the answers of POST /v1/chat/completions: one object, or chunks. */
import type { ToolCallDelta } from '../../core/provider/engine.ts'
import type { Completion } from '../../core/provider/records.ts'
import { countChoices } from '../../request/choices.ts'
import type { Answered, Sink } from '../../request/live.ts'
import { toScores, traceOf, usageOf } from '../../request/trace.ts'
import { toApiError } from './api-error.ts'
import { type ChatRequest, readChat } from './chat-request.ts'
import type { Endpoint, Stamp } from './endpoint.ts'
import type { EventStream } from './sse.ts'

function toChatCompletion(answered: Answered, { ask }: ChatRequest, stamp: Stamp) {
  const { result, choices } = answered
  return {
    id: stamp.id,
    object: 'chat.completion',
    created: stamp.created,
    model: stamp.model,
    choices: [...choices].map(([index, completion]) => ({
      index,
      message: {
        role: 'assistant',
        content: completion.text === '' && completion.toolCalls ? null : completion.text,
        refusal: null,
        ...(completion.reasoning && { reasoning_content: completion.reasoning }),
        ...(completion.toolCalls && { tool_calls: completion.toolCalls }),
      },
      logprobs: toLogprobs(completion),
      finish_reason: toFinishReason(completion),
    })),
    usage: usageOf(result.usage, result),
    aft: traceOf(answered, ask),
  }
}

/** The endpoint POST /v1/chat/completions. */
export const chatEndpoint: Endpoint<ChatRequest> = {
  idPrefix: 'chatcmpl-',
  read: readChat,
  whole: toChatCompletion,
  write: writeChat,
}

/**
 * Sends an answer as chunks. A failure ends the stream with an error object, without `finish_reason` and `[DONE]`.
 * @param run answers, and sends pieces to the sink
 */
async function writeChat(
  stream: EventStream,
  { request, stamp }: { request: ChatRequest; stamp: Stamp },
  run: (sink: Sink) => Promise<Answered>,
): Promise<void> {
  const { ask, wantsUsage } = request
  const head = { id: stamp.id, object: 'chat.completion.chunk', created: stamp.created, model: stamp.model }
  const usage = wantsUsage ? { usage: null } : {}
  const choice = (index: number, delta: object, more: object = {}) => {
    const choices = [{ index, delta, logprobs: null, finish_reason: null, ...more }]
    stream.send({ ...head, choices, ...usage })
  }
  for (let i = 0; i < countChoices(ask.plan); i++) choice(i, { role: 'assistant', content: '' })
  const sink: Sink = {
    content: (i, text) => choice(i, { content: text }),
    reasoning: (i, text) => choice(i, { reasoning_content: text }),
    toolCall: (i, delta) => choice(i, { tool_calls: [toWireDelta(delta)] }),
  }
  try {
    const answered = await run(sink)
    const { result, choices } = answered
    const trace = { aft: traceOf(answered, ask) }
    const ends = [...choices].map(([index, completion]) => {
      const finish_reason = toFinishReason(completion)
      return {
        ...head,
        choices: [{ index, delta: {}, logprobs: toLogprobs(completion), finish_reason }],
        ...usage,
      }
    })
    // A chunk without choices breaks loops that read `choices[0]`: only those who ask for usage expect it.
    for (const end of wantsUsage ? ends : ends.slice(0, -1)) stream.send(end)
    if (wantsUsage) stream.send({ ...head, choices: [], usage: usageOf(result.usage, result), ...trace })
    else stream.send({ ...ends.at(-1), ...trace })
    stream.send('[DONE]')
  } catch (error) {
    stream.send(toApiError(error).toEvent())
  }
}

function toWireDelta({ position, id, name, arguments: text, extra_content }: ToolCallDelta) {
  return {
    index: position,
    ...(id !== undefined && { id, type: 'function' }),
    function: { ...(name !== undefined && { name }), ...(text !== undefined && { arguments: text }) },
    ...(extra_content && { extra_content }),
  }
}

function toFinishReason({ finishReason }: Completion): string {
  return finishReason.replace('-', '_')
}

function toLogprobs({ logprobs }: Completion) {
  return logprobs ? { content: toScores(logprobs), refusal: null } : null
}
