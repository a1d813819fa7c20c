/** Reads the body of POST /v1/responses. */
import { z } from 'zod'
import {
  type Message,
  type ResponseFormat,
  reasoningEfforts,
  type Tool,
  type ToolChoice,
} from '../../core/provider/engine.ts'
import { makeAsk } from '../../request/ask.ts'
import type { Ask } from '../../request/live.ts'
import type { Offer } from '../../request/plans.ts'
import { ApiError, parseBody } from './api-error.ts'
import { checkToolChoice, listUnknown, passedFields, readPassed, samplingFields } from './chat-request.ts'
import type { WireRequest } from './endpoint.ts'
import { toMessages } from './responses-items.ts'
import type { ResponseStore, StoredResponse } from './responses-store.ts'

const tool = z.looseObject({
  type: z.literal('function', { error: 'only functions can be called here' }),
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
})
const toolChoice = z.union(
  [z.enum(['auto', 'none', 'required']), z.looseObject({ type: z.literal('function'), name: z.string() })],
  { error: 'expected auto, none, required or a function' },
)
const format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string(),
    schema: z.record(z.string(), z.unknown()),
    strict: z.boolean().nullish(),
    description: z.string().optional(),
  }),
])

const schema = z.looseObject({
  ...samplingFields,
  model: z.string(),
  input: z.union([z.string().min(1), z.array(z.unknown()).min(1)], {
    error: 'expected text, or a list of items',
  }),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().nullish(),
  seed: z.int().nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning: z
    .looseObject({ effort: z.enum(reasoningEfforts).nullish(), summary: z.string().nullish() })
    .nullish(),
  text: z.looseObject({ format: format.optional(), verbosity: z.string().nullish() }).nullish(),
  include: z.array(z.string()).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  store: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
})

/** Fields that need what this server does not have, with what to do instead. They are accepted if they are false or absent. */
const refused: Record<string, string> = {
  conversation: 'conversations are not stored: send the whole conversation as input',
  background: 'nothing runs in the background: wait for the answer, or stream it',
  prompt: 'prompts are not stored: send the text as input',
}

/** Fields that are accepted and ignored. */
const ignoredFields = ['truncation', 'stream_options', ...Object.keys(refused)]

/** A response to answer with. */
export interface ResponsesRequest extends WireRequest {
  /** Fields of the request that the response repeats. */
  echo: Record<string, unknown>
  /** Keeps the answer, if the client and the server want that. */
  keep(id: string, output: object[]): void
}

/**
 * Reads a body.
 * @throws ApiError 400 with the wrong field, UsageError for a plan that is not possible
 */
export function readResponses(
  value: unknown,
  offer: Offer,
  { client, store }: { client: string; store: ResponseStore },
): ResponsesRequest {
  const body = parseBody(schema, value)
  for (const [field, problem] of Object.entries(refused)) {
    if (body[field])
      throw new ApiError(400, `${field}: ${problem}`, { param: field, code: 'unsupported_value' })
  }
  const conversation = readConversation(body, (id) => store.find(client, id))
  const isKept = store.isOpen && body.store !== false
  const ask = makeAsk(
    {
      model: body.model,
      aft: body.aft,
      prompt: readPrompt(body, conversation),
      seed: body.seed ?? undefined,
      sampling: {
        maxTokens: body.max_output_tokens ?? undefined,
        temperature: body.temperature ?? undefined,
        topP: body.top_p ?? undefined,
        reasoning: body.reasoning?.effort ?? undefined,
      },
      formatParam: 'text.format.schema',
      maxTokensParam: 'max_output_tokens',
    },
    offer,
  )
  return {
    ask,
    isStream: body.stream ?? false,
    ignored: listUnknown(body, [...Object.keys(schema.shape), ...passedFields, ...ignoredFields]),
    echo: {
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      metadata: body.metadata ?? {},
      temperature: body.temperature ?? null,
      top_p: body.top_p ?? null,
      text: { ...body.text, format: body.text?.format ?? { type: 'text' } },
      parallel_tool_calls: body.parallel_tool_calls ?? true,
      reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
      tools: body.tools ?? [],
      tool_choice: body.tool_choice ?? 'auto',
      store: isKept,
      previous_response_id: body.previous_response_id ?? null,
    },
    keep: (id, output) => {
      if (!isKept) return
      store.keep(client, { id, output, messages: [...conversation, ...toMessages(output)] })
    },
  }
}

/** All turns so far: those that the previous response ended, and the input. */
function readConversation(
  { input, previous_response_id: previous }: z.infer<typeof schema>,
  find: (id: string) => StoredResponse | undefined,
): Message[] {
  const turns = toMessages(input, (id) => find(id)?.output.find((item) => item.id === id))
  if (previous == null) return turns
  const found = find(previous)
  if (found) return [...found.messages, ...turns]
  const problem = `previous_response_id: the response "${previous.slice(0, 100)}" is not kept here: send the whole conversation as input`
  throw new ApiError(400, problem, { param: 'previous_response_id', code: 'previous_response_not_found' })
}

function readPrompt(body: z.infer<typeof schema>, conversation: Message[]): Ask['prompt'] {
  const tools = body.tools?.map(toChatTool) ?? []
  const toolChoice = toChatChoice(body.tool_choice)
  checkToolChoice(toolChoice, tools)
  const responseFormat = toChatFormat(body.text?.format)
  const wantsScores = body.include?.includes('message.output_text.logprobs') ?? false
  return {
    messages: body.instructions
      ? [{ role: 'system', content: body.instructions }, ...conversation]
      : conversation,
    ...readPassed({ ...body, reasoning: undefined, verbosity: body.text?.verbosity }),
    ...(tools.length > 0 && { tools, ...(toolChoice && { toolChoice }) }),
    ...(tools.length > 0 &&
      body.parallel_tool_calls != null && { parallelToolCalls: body.parallel_tool_calls }),
    ...(responseFormat && { responseFormat }),
    ...(wantsScores && { logprobs: body.top_logprobs ?? 0 }),
  }
}

function toChatTool({ name, description, parameters, strict }: z.infer<typeof tool>): Tool {
  return {
    type: 'function',
    function: {
      name,
      ...(description && { description }),
      ...(parameters && { parameters }),
      ...(strict != null && { strict }),
    },
  }
}

function toChatChoice(choice: z.infer<typeof toolChoice> | null | undefined): ToolChoice | undefined {
  if (!choice || typeof choice === 'string') return choice ?? undefined
  return { type: 'function', function: { name: choice.name } }
}

function toChatFormat(given: z.infer<typeof format> | undefined): ResponseFormat | undefined {
  if (!given || given.type === 'text') return undefined
  if (given.type === 'json_object') return { type: 'json_object' }
  const { name, schema, strict, description } = given
  return { type: 'json_schema', json_schema: { name, schema, strict, ...(description && { description }) } }
}
