/** For tests: what Anthropic refuses, and how it answers. */
import { isBlank, KEY, type Service, type Turn, unknownIn } from './official-service.fixture.ts'

const anthropicSays = (message: string) => ({
  status: 400,
  body: { type: 'error', error: { type: 'invalid_request_error', message } },
})
export const anthropic: Service = {
  create: 'createAnthropic',
  model: 'claude-sonnet-4-5',
  newModel: 'next-1',
  isNamed: true,
  refuse(body, headers, url) {
    if (url !== '/v1/messages') return anthropicSays(`no ${url}`)
    if (headers['x-api-key'] !== KEY || !headers['anthropic-version']) return anthropicSays('key or version')
    const messages = body.messages as Turn[]
    const thinking = body.thinking as { type: string; budget_tokens?: number } | undefined
    if (body.model === this.newModel && body.temperature !== undefined)
      return anthropicSays('`temperature` is deprecated for this model.')
    if (body.temperature !== undefined && body.top_p !== undefined)
      return anthropicSays(
        '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
      )
    if (isBlank(body.system))
      return anthropicSays('system: text content blocks must contain non-whitespace text')
    if (messages.some(({ role, content }) => role === 'system' || isBlank(content)))
      return anthropicSays('messages: text content blocks must contain non-whitespace text')
    if (!Number.isInteger(body.max_tokens)) return anthropicSays('max_tokens: Field required')
    if ((thinking?.budget_tokens ?? 0) >= (body.max_tokens as number))
      return anthropicSays('`max_tokens` must be greater than `thinking.budget_tokens`.')
    const hasToolTurns = JSON.stringify(messages).includes('"tool_result"')
    if (hasToolTurns && !body.tools)
      return anthropicSays('Requests which include `tool_use` or `tool_result` blocks must define tools')
    const fields =
      'model messages system max_tokens temperature top_p top_k stream stop_sequences thinking tools'
    const other = unknownIn(body, `${fields} tool_choice output_config output_format`)
    return other === undefined ? undefined : anthropicSays(`${other}: Extra inputs are not permitted`)
  },
  read: (body) => ({
    tools: body.tools !== undefined,
    schema: body.output_format !== undefined || JSON.stringify(body.output_config ?? {}).includes('format'),
    effort: body.thinking,
  }),
  events(said) {
    const usage = { input_tokens: 9, cache_read_input_tokens: 4, output_tokens: 1 }
    const message = { id: 'm', type: 'message', role: 'assistant', model: 'c', content: [], usage }
    const { thought, call, text } = said
    const blocks = [
      ...(thought
        ? [
            [
              { type: 'thinking', thinking: '', signature: '' },
              { type: 'thinking_delta', thinking: thought },
            ],
          ]
        : []),
      ...(text
        ? [
            [
              { type: 'text', text: '' },
              { type: 'text_delta', text },
            ],
          ]
        : []),
      ...(call
        ? [
            [
              { type: 'tool_use', id: 'c1', name: call.name, input: {} },
              { type: 'input_json_delta', partial_json: call.arguments },
            ],
          ]
        : []),
    ]
    return [
      { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } },
      ...blocks.flatMap(([content_block, delta], index) => [
        { type: 'content_block_start', index, content_block },
        { type: 'content_block_delta', index, delta },
        { type: 'content_block_stop', index },
      ]),
      {
        type: 'message_delta',
        delta: { stop_reason: call ? 'tool_use' : 'end_turn' },
        usage: { output_tokens: 4 },
      },
      { type: 'message_stop' },
    ]
  },
}
