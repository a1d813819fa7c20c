/** POST /v1/messages, the Anthropic API: one object, or typed events. */
import type { Answered } from '../../../request/live.ts'
import { traceOf, usageOf } from '../../../request/trace.ts'
import { toApiError } from '../api-error.ts'
import type { Endpoint, Stamp } from '../endpoint.ts'
import { type Blocks, createBlocks } from './blocks.ts'
import { toMessagesError } from './errors.ts'
import { type MessagesRequest, readMessages } from './request.ts'

/** The endpoint. A failure in a stream is an `error` event, and the end. */
export const messagesEndpoint: Endpoint<MessagesRequest> = {
  idPrefix: 'msg_',
  read: readMessages,
  whole: (answered, request, stamp) => {
    const blocks = createBlocks(() => {}, request.showsThinking)
    const { text, reasoning, toolCalls = [] } = answered.choices.get(0) ?? {}
    if (reasoning) blocks.sink.reasoning(0, reasoning)
    if (text) blocks.sink.content(0, text)
    for (const [position, { id, function: call }] of toolCalls.entries()) {
      blocks.sink.toolCall(0, { position, id, ...call })
    }
    const { content, delta, usage, aft } = finish(answered, blocks, request)
    return { ...describe(stamp), content, ...delta, usage, aft }
  },
  write: async (stream, { request, stamp }, run) => {
    const send = (type: string, fields: object) => stream.send({ type, ...fields }, type)
    send('message_start', { message: { ...describe(stamp), usage: NO_USAGE } })
    const blocks = createBlocks(send, request.showsThinking)
    try {
      const { delta, usage, aft } = finish(await run(blocks.sink), blocks, request)
      send('message_delta', { delta, usage, aft })
      send('message_stop', {})
    } catch (error) {
      stream.send(toMessagesError(toApiError(error)), 'error')
    }
  },
}

/** What a stream begins with: the tokens of the whole run are known at its end. */
const NO_USAGE = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}

/** A message that has just begun. */
function describe({ id, model }: Stamp) {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [] as object[],
    stop_reason: null,
    stop_sequence: null,
  }
}

const STOP_REASONS = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
} as const

function finish(answered: Answered, blocks: Blocks, { ask }: MessagesRequest) {
  const { result, choices } = answered
  const reason = choices.get(0)?.finishReason ?? 'stop'
  const content = blocks.end(reason === 'length')
  const { prompt_tokens, completion_tokens, prompt_tokens_details, cost } = usageOf(result.usage, result)
  const { cached_tokens: cached } = prompt_tokens_details
  return {
    content,
    delta: { stop_reason: STOP_REASONS[reason], stop_sequence: null },
    usage: {
      ...NO_USAGE,
      input_tokens: prompt_tokens - cached,
      cache_read_input_tokens: cached,
      output_tokens: completion_tokens,
      ...(cost !== undefined && { cost }),
    },
    aft: traceOf(answered, ask),
  }
}
