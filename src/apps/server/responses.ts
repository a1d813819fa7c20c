/** Writes the answers of POST /v1/responses: one object, or typed events. */

import type { Answered } from '../../request/live.ts'
import { traceOf, usageOf } from '../../request/trace.ts'
import { toApiError } from './api-error.ts'
import type { Endpoint, Stamp } from './endpoint.ts'
import { createOutput, type Output } from './responses-output.ts'
import { type ResponsesRequest, readResponses } from './responses-request.ts'
import type { ResponseStore } from './responses-store.ts'

/** The endpoint POST /v1/responses. @param store keeps answers that later requests may name */
export const responsesEndpoint = (store: ResponseStore): Endpoint<ResponsesRequest> => ({
  idPrefix: 'resp_',
  read: (body, offer, client) => readResponses(body, offer, { client, store }),
  whole: (answered, request, stamp) => {
    const output = createOutput(stamp.id, () => {})
    const answer = answered.choices.get(0)
    if (answer?.reasoning) output.sink.reasoning(0, answer.reasoning)
    if (answer?.text) output.sink.content(0, answer.text)
    for (const [position, { id, function: call }] of (answer?.toolCalls ?? []).entries()) {
      output.sink.toolCall(0, { position, id, ...call })
    }
    return finish(answered, output, request, stamp)
  },
  /** Sends an answer as events. A failure ends the stream with `response.failed` and `error`. */
  write: async (stream, { request, stamp }, run) => {
    let count = 0
    const send = (type: string, fields: object) =>
      stream.send({ type, sequence_number: count++, ...fields }, type)
    const head = describe(request, stamp)
    const output = createOutput(stamp.id, send)
    send('response.created', { response: head })
    send('response.in_progress', { response: head })
    try {
      const response = finish(await run(output.sink), output, request, stamp)
      send(`response.${response.status}`, { response })
    } catch (cause) {
      const { message, code, param, status, ...error } = { ...toApiError(cause).toJSON().error, status: 0 }
      const failed = { ...head, status: 'failed', output: output.items(), error: { code, message } }
      send('response.failed', { response: failed })
      send('error', { code, message, param, error: { message, code, param, ...error } })
    }
  },
})

/** Makes the response object at its start. */
function describe({ echo }: ResponsesRequest, { id, created, model }: Stamp) {
  return {
    id,
    object: 'response',
    created_at: created,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null as { reason: string } | null,
    model,
    output: [] as object[],
    truncation: 'disabled',
    usage: null as object | null,
    ...echo,
  }
}

function finish(answered: Answered, output: Output, request: ResponsesRequest, stamp: Stamp) {
  const { result, choices } = answered
  const answer = choices.get(0)
  const reason = { length: 'max_output_tokens', 'content-filter': 'content_filter' }[
    answer?.finishReason as string
  ]
  output.end(answer, reason === undefined)
  request.keep(stamp.id, output.items())
  const { prompt_tokens, completion_tokens, prompt_tokens_details, completion_tokens_details, ...usage } =
    usageOf(result.usage, result)
  return {
    ...describe(request, stamp),
    status: reason ? 'incomplete' : 'completed',
    incomplete_details: reason ? { reason } : null,
    output: output.items(),
    usage: {
      input_tokens: prompt_tokens,
      input_tokens_details: prompt_tokens_details,
      output_tokens: completion_tokens,
      output_tokens_details: completion_tokens_details,
      ...usage,
    },
    aft: traceOf(answered, request.ask),
  }
}
