/** The body of POST /v1/messages. */
import { z } from 'zod'
import type { ReasoningEffort, ResponseFormat, Tool, ToolChoice } from '../../../core/provider/engine.ts'
import { makeAsk } from '../../../request/ask.ts'
import type { Ask } from '../../../request/live.ts'
import type { Offer } from '../../../request/plans.ts'
import { ApiError, parseBody } from '../api-error.ts'
import { checkToolChoice, listUnknown, samplingFields } from '../chat-request.ts'
import type { WireRequest } from '../endpoint.ts'
import { systemSchema, toMessages, turnSchema } from './turns.ts'

const tool = z.looseObject({
  type: z.literal('custom', { error: 'only tools with an input_schema can be called here' }).nullish(),
  name: z.string(),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().nullish(),
})
const noParallel = { disable_parallel_tool_use: z.boolean().nullish() }
const toolChoice = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('auto'), ...noParallel }),
  z.looseObject({ type: z.literal('any'), ...noParallel }),
  z.looseObject({ type: z.literal('tool'), name: z.string(), ...noParallel }),
  z.looseObject({ type: z.literal('none') }),
])
const format = z.looseObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) })
const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const

const schema = z.looseObject({
  ...samplingFields,
  model: z.string(),
  messages: z.array(turnSchema).min(1, 'expected at least one message'),
  system: systemSchema.nullish(),
  max_tokens: z.int().nullish(),
  stop_sequences: z.array(z.string().min(1)).nullish(),
  top_k: z.int().min(1).nullish(),
  tools: z.array(z.looseObject({ name: z.string() })).nullish(),
  tool_choice: toolChoice.nullish(),
  thinking: z
    .looseObject({ type: z.string(), budget_tokens: z.int().nullish(), display: z.string().nullish() })
    .nullish(),
  output_format: format.nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  output_config: z.looseObject({ effort: z.enum(efforts).nullish(), format: format.nullish() }).nullish(),
})
type Body = z.infer<typeof schema>

/** Accepted and ignored: where text is cached is for each engine to say. */
const ignoredFields = ['service_tier', 'cache_control', 'context_management', 'inference_geo']

/** Not supported. Refused, because ignoring them would change the answer. */
const unsupported: Record<string, string> = {
  container: 'this server runs no code',
  mcp_servers: 'this server calls no other servers: send tools instead',
}

/** A message to answer. */
export interface MessagesRequest extends WireRequest {
  /** Thinking is a block of its own, but only if the client knows such blocks. */
  showsThinking: boolean
}

/**
 * Reads a body.
 * @throws ApiError 400 with the wrong field, UsageError for a plan that is not possible
 */
export function readMessages(value: unknown, offer: Offer): MessagesRequest {
  const body = parseBody(schema, value)
  for (const [field, problem] of Object.entries(unsupported)) {
    const given = body[field]
    if (given == null || (Array.isArray(given) && given.length === 0)) continue
    throw new ApiError(400, `${field}: ${problem}`, { param: field, code: 'unsupported_value' })
  }
  const { thinking } = body
  const ask = makeAsk(
    {
      model: body.model,
      aft: body.aft,
      prompt: readPrompt(body),
      sampling: {
        maxTokens: body.max_tokens ?? undefined,
        temperature: body.temperature ?? undefined,
        topP: body.top_p ?? undefined,
        topK: body.top_k ?? undefined,
        reasoning: readEffort(body),
      },
      formatParam: body.output_config?.format ? 'output_config.format.schema' : 'output_format.schema',
      maxTokensParam: 'max_tokens',
    },
    offer,
  )
  const wantsThinking = thinking != null && thinking.type !== 'disabled' && thinking.display !== 'omitted'
  return {
    ask,
    isStream: body.stream ?? false,
    ignored: listUnknown(body, [...Object.keys(schema.shape), ...ignoredFields, ...Object.keys(unsupported)]),
    showsThinking: wantsThinking || ask.showProposals,
  }
}

function readPrompt(body: Body): Ask['prompt'] {
  const tools = (body.tools ?? []).map((given, i) => toChatTool(parseBody(tool, given, ['tools', i])))
  const choice = body.tool_choice ?? undefined
  const chosen = choice && toChatChoice(choice)
  checkToolChoice(chosen, tools)
  const form = (body.output_config?.format ?? body.output_format)?.schema
  const isSingle = choice?.disable_parallel_tool_use === true
  return {
    messages: toMessages(body.messages, body.system ?? undefined),
    ...(body.metadata?.user_id && { passed: { user: body.metadata.user_id } }),
    ...(body.stop_sequences?.length && { stop: body.stop_sequences }),
    ...(tools.length > 0 && { tools, ...(chosen && { toolChoice: chosen }) }),
    ...(tools.length > 0 && isSingle && { parallelToolCalls: false }),
    ...(form && { responseFormat: toChatFormat(form) }),
  }
}

function toChatTool({ name, description, input_schema, strict }: z.infer<typeof tool>): Tool {
  return {
    type: 'function',
    function: {
      name,
      ...(description && { description }),
      parameters: input_schema,
      ...(strict != null && { strict }),
    },
  }
}

function toChatChoice(choice: z.infer<typeof toolChoice>): ToolChoice {
  if (choice.type === 'tool') return { type: 'function', function: { name: choice.name } }
  return choice.type === 'any' ? 'required' : choice.type
}

function toChatFormat(schema: Record<string, unknown>): ResponseFormat {
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } }
}

/** A budget of tokens is passed to engines as an effort, because their servers know efforts. */
function readEffort({ thinking, output_config: config }: Body): ReasoningEffort | undefined {
  if (config?.effort) return config.effort
  if (thinking?.type === 'disabled') return 'none'
  if (thinking?.type !== 'enabled' || thinking.budget_tokens == null) return undefined
  if (thinking.budget_tokens < 4_096) return 'low'
  return thinking.budget_tokens < 16_384 ? 'medium' : 'high'
}
