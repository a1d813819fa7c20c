/** Turns the AI SDK's prompt and call options into the chat-completions format. */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider'
import type {
  ContentPart,
  Message,
  ResponseFormat,
  Tool,
  ToolCall,
  ToolChoice,
} from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'

/** Makes messages from a prompt. Each tool result becomes a separate message. */
export function fromPrompt(prompt: LanguageModelV4Prompt): Message[] {
  return prompt.flatMap(fromMessage)
}

function fromMessage(message: LanguageModelV4Message): Message[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }]
    case 'user':
      return [{ role: 'user', content: fromUserParts(message.content) }]
    case 'assistant':
      return fromAssistant(message.content)
    case 'tool':
      return message.content.filter((part) => part.type === 'tool-result').map(toResult)
  }
}

type UserParts = Extract<LanguageModelV4Message, { role: 'user' }>['content']

/** Makes a string if all parts are texts, because every server accepts a string. */
function fromUserParts(parts: UserParts): string | ContentPart[] {
  if (parts.every((part) => part.type === 'text')) return parts.map((part) => part.text).join('\n')
  return parts.map((part) => (part.type === 'text' ? { type: 'text', text: part.text } : fromFile(part)))
}

function fromFile({ data, mediaType, filename }: LanguageModelV4FilePart): ContentPart {
  if (data.type === 'text') return { type: 'text', text: data.text }
  if (data.type === 'reference')
    throw new UsageError('a file that is stored at a provider cannot be passed on: give its data')
  const base64 = data.type === 'data' && (typeof data.data === 'string' ? data.data : toBase64(data.data))
  const url = data.type === 'url' ? String(data.url) : `data:${mediaType};base64,${base64}`
  if (mediaType.startsWith('image')) return { type: 'image_url', image_url: { url } }
  if (mediaType.startsWith('audio/') && base64) {
    return { type: 'input_audio', input_audio: { data: base64, format: mediaType.slice('audio/'.length) } }
  }
  return { type: 'file', file: { file_data: url, ...(filename !== undefined && { filename }) } }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Makes messages from an assistant's turn. Its reasoning is not sent again, since it may contain proposals. */
function fromAssistant(parts: Extract<LanguageModelV4Message, { role: 'assistant' }>['content']): Message[] {
  const content = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  const calls = parts.filter((part) => part.type === 'tool-call').map(toCall)
  const results = parts.filter((part) => part.type === 'tool-result').map(toResult)
  const message: Message = {
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    ...(calls.length > 0 && { tool_calls: calls }),
  }
  return [message, ...results]
}

function toCall(part: { toolCallId: string; toolName: string; input: unknown }): ToolCall {
  const text = typeof part.input === 'string' ? part.input : JSON.stringify(part.input ?? {})
  return { id: part.toolCallId, type: 'function', function: { name: part.toolName, arguments: text } }
}

function toResult({ toolCallId, output }: LanguageModelV4ToolResultPart): Message {
  return { role: 'tool', tool_call_id: toolCallId, content: textOfOutput(output) }
}

function textOfOutput(output: LanguageModelV4ToolResultOutput): string {
  if (output.type === 'text' || output.type === 'error-text') return output.value
  if (output.type === 'execution-denied') return output.reason ?? 'the tool was not run: the user denied it'
  return JSON.stringify(output.value)
}

/** Turns a function tool into the wire format. */
export function fromTool({ name, description, inputSchema, strict }: LanguageModelV4FunctionTool): Tool {
  return {
    type: 'function',
    function: {
      name,
      ...(description !== undefined && { description }),
      parameters: inputSchema as Record<string, unknown>,
      ...(strict !== undefined && { strict }),
    },
  }
}

/** Turns a tool choice into the wire format. */
export function fromToolChoice(choice: NonNullable<LanguageModelV4CallOptions['toolChoice']>): ToolChoice {
  return choice.type === 'tool' ? { type: 'function', function: { name: choice.toolName } } : choice.type
}

/** Turns a response format into the wire format; undefined for text. */
export function fromFormat(format: LanguageModelV4CallOptions['responseFormat']): ResponseFormat | undefined {
  if (format?.type !== 'json') return undefined
  if (!format.schema) return { type: 'json_object' }
  const { name = 'answer', description, schema } = format
  return {
    type: 'json_schema',
    json_schema: { name, description, schema: schema as Record<string, unknown> },
  }
}
