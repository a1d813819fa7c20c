/** For tests: what four services refuse, and how they answer. */
import { anthropic } from './official-anthropic.fixture.ts'
import {
  type Body,
  isBlank,
  KEY,
  type Service,
  type Turn,
  unknownIn,
  usageOf,
} from './official-service.fixture.ts'

const openaiSays = (message: string, param: string | null = null) => ({
  status: 400,
  body: { error: { message, type: 'invalid_request_error', param, code: null } },
})
const googleSays = (message: string) => ({
  status: 400,
  body: { error: { code: 400, message, status: 'INVALID_ARGUMENT' } },
})
const mistralSays = (field: string, msg = 'Extra inputs are not permitted', type = 'extra_forbidden') => ({
  status: 422,
  body: { detail: [{ type, loc: ['body', field], msg, input: 1 }] },
})

const openai: Service = {
  create: 'createOpenAI',
  model: 'gpt-5-mini',
  newModel: 'next-1',
  refuse(body, headers, url) {
    if (url !== '/v1/responses') return openaiSays(`no ${url}`)
    if (headers.authorization !== `Bearer ${KEY}`) return openaiSays('Incorrect API key provided')
    const refused = ['temperature', 'top_p', 'seed', 'max_tokens'].find((field) => body[field] !== undefined)
    if (refused)
      return openaiSays(`Unsupported parameter: '${refused}' is not supported with this model.`, refused)
    const fields = 'model input stream max_output_tokens include store reasoning text tools tool_choice'
    const other = unknownIn(body, `${fields} parallel_tool_calls prompt_cache_key user`)
    return other === undefined ? undefined : openaiSays(`Unknown parameter: '${other}'.`, other)
  },
  read: (body) => ({
    tools: body.tools !== undefined,
    schema: JSON.stringify(body.text ?? {}).includes('json_schema'),
    effort: body.reasoning,
  }),
  events(said) {
    const about = { id: 'resp', object: 'response', created_at: 1, model: 'gpt-5-mini' }
    const { thought, call, text } = said
    const usage = {
      input_tokens: 13,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 4,
      output_tokens_details: { reasoning_tokens: usageOf(said) },
      total_tokens: 17,
    }
    const items: { item: object; delta: object }[] = []
    if (thought)
      items.push({
        item: { type: 'reasoning', id: 'rs', summary: [] },
        delta: {
          type: 'response.reasoning_summary_text.delta',
          item_id: 'rs',
          summary_index: 0,
          delta: thought,
        },
      })
    if (text)
      items.push({
        item: { type: 'message', id: 'msg', status: 'completed', role: 'assistant', content: [] },
        delta: { type: 'response.output_text.delta', item_id: 'msg', content_index: 0, delta: text },
      })
    if (call)
      items.push({
        item: { type: 'function_call', id: 'fc', call_id: 'c1', status: 'completed', ...call },
        delta: { type: 'response.function_call_arguments.delta', item_id: 'fc', delta: call.arguments },
      })
    return [
      { type: 'response.created', response: about },
      ...items.flatMap(({ item, delta }, output_index) => [
        { type: 'response.output_item.added', output_index, item },
        { output_index, ...delta },
        { type: 'response.output_item.done', output_index, item },
      ]),
      { type: 'response.completed', response: { ...about, status: 'completed', usage } },
    ]
  },
}

const google: Service = {
  create: 'createGoogleGenerativeAI',
  model: 'gemini-2.5-flash',
  newModel: 'gemini-9-next',
  refuse(body, headers, url) {
    if (!/^\/v1\/models\/[\w.-]+:streamGenerateContent/.test(url)) return googleSays(`no ${url}`)
    if (headers['x-goog-api-key'] !== KEY)
      return googleSays('API key not valid. Please pass a valid API key.')
    const contents = body.contents as Turn[]
    if (contents.some(({ role }) => role !== 'user' && role !== 'model'))
      return googleSays('Please use a valid role: user, model.')
    if (contents.some(({ parts }) => isBlank(parts)))
      return googleSays('contents: unable to find text: empty text parameter')
    const { parts } = (body.systemInstruction ?? {}) as Turn
    if (isBlank(parts))
      return googleSays('GenerateContentRequest.system_instruction.parts[0].data: required oneof field')
    const config = (body.generationConfig ?? {}) as Body
    if (url.includes(this.newModel) && config.temperature !== undefined)
      return googleSays(
        `Invalid JSON payload received. Unknown name "temperature" at 'generation_config': Cannot find field.`,
      )
    const other = unknownIn(
      body,
      'contents systemInstruction generationConfig tools toolConfig safetySettings',
    )
    return other === undefined
      ? undefined
      : googleSays(`Invalid JSON payload received. Unknown name "${other}": Cannot find field.`)
  },
  read: ({ tools, generationConfig }) => {
    const { responseSchema, responseJsonSchema, thinkingConfig } = (generationConfig ?? {}) as Body
    const schema = responseSchema ?? responseJsonSchema
    return { tools: tools !== undefined, schema: schema !== undefined, effort: thinkingConfig }
  },
  events({ thought, call, text }) {
    const parts = [
      ...(thought ? [{ text: thought, thought: true }] : []),
      ...(text ? [{ text }] : []),
      ...(call ? [{ functionCall: { name: call.name, args: JSON.parse(call.arguments) } }] : []),
    ]
    const usageMetadata = {
      promptTokenCount: 13,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 4,
      thoughtsTokenCount: thought ? 3 : 0,
      totalTokenCount: 17,
    }
    const content = { role: 'model', parts }
    return [{ candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata }]
  },
}

const mistral: Service = {
  create: 'createMistral',
  model: 'magistral-small-latest',
  newModel: 'next-1',
  isDone: true,
  refuse(body, headers, url) {
    if (url !== '/v1/chat/completions') return mistralSays('url')
    if (headers.authorization !== `Bearer ${KEY}`) return { status: 401, body: { detail: 'Unauthorized' } }
    const messages = body.messages as Turn[]
    if (!['user', 'tool'].includes(messages.at(-1)?.role ?? '')) {
      const message =
        'Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant'
      return {
        status: 400,
        body: { object: 'error', message, type: 'invalid_request_message_order', code: '3230' },
      }
    }
    if (body.model === this.newModel && body.temperature !== undefined) return mistralSays('temperature')
    const fields = 'model messages stream temperature top_p max_tokens random_seed stop tools tool_choice n'
    const other = unknownIn(
      body,
      `${fields} response_format safe_prompt reasoning_effort parallel_tool_calls`,
    )
    return other === undefined ? undefined : mistralSays(other)
  },
  read: (body) => ({
    tools: body.tools !== undefined,
    schema: JSON.stringify(body.response_format ?? {}).includes('json_schema'),
    effort: body.reasoning_effort,
  }),
  events({ thought, call, text }) {
    const choose = (delta: object, finish_reason: string | null = null) => ({
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta, finish_reason }],
    })
    const usage = { prompt_tokens: 13, completion_tokens: 4, total_tokens: 17 }
    const thinking = thought && [{ type: 'thinking', thinking: [{ type: 'text', text: thought }] }]
    return [
      ...(thinking ? [choose({ role: 'assistant', content: thinking })] : []),
      ...(text ? [choose({ role: 'assistant', content: text })] : []),
      ...(call
        ? [choose({ role: 'assistant', tool_calls: [{ id: 'c1abcdefg', type: 'function', function: call }] })]
        : []),
      { ...choose({ content: '' }, call ? 'tool_calls' : 'stop'), usage },
    ]
  },
}

/** By the name of their package. */
export const services: Record<string, Service> = { anthropic, openai, google, mistral }
