/** Reads the body of POST /v1/chat/completions. */
import { z } from 'zod'
import {
  type Message,
  type ResponseFormat,
  reasoningEfforts,
  roles,
  type Tool,
  type ToolChoice,
} from '../../core/provider/engine.ts'
import { makeAsk } from '../../request/ask.ts'
import type { Ask } from '../../request/live.ts'
import { aftSchema, type Offer } from '../../request/plans.ts'
import { ApiError, parseBody } from './api-error.ts'
import type { WireRequest } from './endpoint.ts'
import { toUsualForm } from './usual-form.ts'

const part = z
  .looseObject({ type: z.string() })
  .refine((p) => p.type !== 'text' || typeof p.text === 'string', {
    error: 'expected text',
    path: ['text'],
  })
const content = z.union([z.string(), z.array(part)], { error: 'expected a string or an array of parts' })
const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
})

const message = z
  .looseObject({
    role: z.enum(roles),
    content: content.nullish(),
    name: z.string().optional(),
    tool_calls: z.array(toolCall).optional(),
    tool_call_id: z.string().optional(),
  })
  .refine((m) => m.role === 'assistant' || m.content != null, {
    error: 'expected content',
    path: ['content'],
  })
  .refine((m) => m.role !== 'tool' || m.tool_call_id, {
    error: 'expected the id of the call',
    path: ['tool_call_id'],
  })

const toolChoiceSchema = z.union(
  [
    z.enum(['auto', 'none', 'required']),
    z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) }),
  ],
  { error: 'expected auto, none, required or a function' },
)

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({ name: z.string(), schema: z.record(z.string(), z.unknown()).optional() }),
  }),
])

/** Sampling fields that both endpoints have. */
export const samplingFields = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stream: z.boolean().nullish(),
  aft: aftSchema.optional(),
}

/** Fields that every engine is handed as they are: what a server does not know it ignores or refuses by name. */
export const passedFields = [
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'service_tier',
  'verbosity',
  'logit_bias',
  'repetition_penalty',
  'chat_template_kwargs',
  'reasoning',
  'thinking',
  'enable_thinking',
  'thinking_budget',
  'include_reasoning',
  'reasoning_format',
  'prompt_mode',
  'safe_prompt',
  'metadata',
  'provider',
  'min_tokens',
  'top_a',
  'typical_p',
  'repeat_penalty',
]

/** The fields of a body that engines get as they are, if there are some. */
export function readPassed(
  body: Record<string, unknown>,
  fields: readonly string[] = passedFields,
): Pick<Ask['prompt'], 'passed'> {
  const passed = Object.fromEntries(fields.flatMap((f) => (body[f] == null ? [] : [[f, body[f]]])))
  return Object.keys(passed).length > 0 ? { passed } : {}
}

/** Fields that are handed on only if they are true: false is what holds anyway, and some servers refuse it. */
const flags = ['store']

const chatSchema = z.looseObject({
  ...samplingFields,
  model: z.string(),
  messages: z.array(message).min(1, 'expected at least one message'),
  n: z.int().min(1).nullish(),
  max_tokens: z.int().nullish(),
  max_completion_tokens: z.int().nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  stop: z
    .union([z.string(), z.array(z.string().min(1)).max(16)], {
      error: 'expected text, or a list of at most 16 texts',
    })
    .nullish(),
  seed: z.int().nullish(),
  top_k: z.int().min(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  reasoning_effort: z.enum(reasoningEfforts).nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  response_format: responseFormat.nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({
          name: z.string(),
          parameters: z.record(z.string(), z.unknown()).optional(),
        }),
      }),
    )
    .nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  modalities: z.array(z.literal('text', { error: 'answers are text' })).nullish(),
})

/** Fields that are not supported. They are refused, because ignoring them would change the answer. */
const unsupported: Record<string, string> = {
  audio: 'answers are text',
  functions: 'send tools instead',
  function_call: 'send tool_choice instead',
  web_search_options: 'this server does not search',
}

/** A chat completion to answer. */
export interface ChatRequest extends WireRequest {
  wantsUsage: boolean
}

/**
 * Reads a body.
 * @throws ApiError 400 with the wrong field, UsageError for a plan that is not possible
 */
export function readChat(value: unknown, offer: Offer): ChatRequest {
  const body = parseBody(chatSchema, toUsualForm(value))
  checkSupported(body)
  checkToolChoice(body.tool_choice, body.tools ?? [])
  const ask = makeAsk(
    {
      model: body.model,
      aft: body.aft,
      prompt: readPrompt(body),
      n: body.n ?? undefined,
      seed: body.seed ?? undefined,
      sampling: {
        maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
        temperature: body.temperature ?? undefined,
        topP: body.top_p ?? undefined,
        topK: body.top_k ?? undefined,
        minP: body.min_p ?? undefined,
        frequencyPenalty: body.frequency_penalty ?? undefined,
        presencePenalty: body.presence_penalty ?? undefined,
        reasoning: body.reasoning_effort ?? undefined,
      },
      formatParam: 'response_format.json_schema.schema',
      maxTokensParam: body.max_completion_tokens == null ? 'max_tokens' : 'max_completion_tokens',
    },
    offer,
  )
  return {
    ask,
    isStream: body.stream ?? false,
    wantsUsage: body.stream_options?.include_usage ?? false,
    ignored: listUnknown(body, [...Object.keys(chatSchema.shape), ...passedFields, ...flags]),
  }
}

function readPrompt({ messages, stop, tools, ...body }: z.infer<typeof chatSchema>): Ask['prompt'] {
  return {
    messages: messages as Message[],
    ...(stop?.length && { stop: [stop].flat() }),
    ...readPassed({ ...body, store: body.store || null }, [...passedFields, ...flags]),
    ...(tools?.length && { tools, ...(body.tool_choice && { toolChoice: body.tool_choice }) }),
    ...(tools?.length && body.parallel_tool_calls != null && { parallelToolCalls: body.parallel_tool_calls }),
    ...(body.response_format && { responseFormat: body.response_format as ResponseFormat }),
    ...(body.logprobs && { logprobs: body.top_logprobs ?? 0 }),
  }
}

/** Lists the fields of a body that are not among the known ones. */
export function listUnknown(body: object, known: string[]): string[] {
  return Object.keys(body).filter((field) => !known.includes(field))
}

function checkSupported(body: z.infer<typeof chatSchema>): void {
  for (const [field, problem] of Object.entries(unsupported)) {
    if (body[field] != null) {
      throw new ApiError(400, `${field}: ${problem}`, { param: field, code: 'unsupported_value' })
    }
  }
  if (body.top_logprobs && !body.logprobs) {
    const problem = 'top_logprobs: expected logprobs to be true with it'
    throw new ApiError(400, problem, { param: 'top_logprobs', code: 'invalid_value' })
  }
}

/** Checks `tool_choice`. @throws ApiError 400 if it names a tool that the request does not have */
export function checkToolChoice(choice: ToolChoice | null | undefined, tools: Tool[]): void {
  const name = typeof choice === 'object' ? choice?.function.name : undefined
  const isLost =
    name === undefined
      ? choice === 'required' && tools.length === 0
      : !tools.some((t) => t.function.name === name)
  if (!isLost) return
  const problem = `tool_choice: there is no tool ${name === undefined ? '' : `"${name.slice(0, 100)}"`}`
  throw new ApiError(400, problem.trimEnd(), { param: 'tool_choice', code: 'invalid_value' })
}
