/** From the chat-completions wire to the call options of an AI SDK language model. */
import type {
  JSONSchema7,
  LanguageModelV2CallOptions,
  LanguageModelV3CallOptions,
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
} from '@ai-sdk/provider'
import type {
  CompletionRequest,
  ContentPart,
  Message,
  ResponseFormat,
  Tool,
  ToolChoice,
} from '../../core/provider/engine.ts'
import { textOf } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'

/** A version of the language model specification. */
export type SpecificationVersion = 'v2' | 'v3' | 'v4'

/** The options of `doStream` in each specification: they differ in file parts only. */
export type CallOptions = LanguageModelV2CallOptions & LanguageModelV3CallOptions & LanguageModelV4CallOptions

/**
 * What every specification has of a request: all but its seed, its signal and how much the model thinks. There are no
 * `logprobs` and no `minP`.
 * @throws UsageError for a content part that it does not have
 */
export function toCallOptions(request: CompletionRequest, version: SpecificationVersion): CallOptions {
  const { sampling, stop, tools, toolChoice, responseFormat } = request
  const { maxTokens, temperature, topP, topK, frequencyPenalty, presencePenalty } = sampling
  const prompt = toPrompt(request.messages)
  const options: LanguageModelV4CallOptions = {
    prompt: version === 'v4' ? prompt : (withPlainFiles(prompt) as LanguageModelV4Prompt),
    maxOutputTokens: maxTokens,
    temperature,
    topP,
    topK,
    frequencyPenalty,
    presencePenalty,
    ...(stop?.length && { stopSequences: stop }),
    ...(tools?.length && { tools: tools.map(toTool) }),
    ...(tools?.length && toolChoice && { toolChoice: toToolChoice(toolChoice) }),
    ...(responseFormat && { responseFormat: toResponseFormat(responseFormat) }),
  }
  return options as CallOptions
}

/** Wire messages as a version 4 prompt. */
export function toPrompt(messages: Message[]): LanguageModelV4Prompt {
  const toolNames = new Map(messages.flatMap((m) => m.tool_calls ?? []).map((c) => [c.id, c.function.name]))
  return messages.map((message) => toMessage(message, toolNames))
}

function toMessage(message: Message, toolNames: Map<string, string>): LanguageModelV4Message {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textOf(message) }
    case 'user':
      return { role: 'user', content: partsOf(message).map(toUserPart) }
    case 'assistant':
      return { role: 'assistant', content: toAssistantParts(message) }
    case 'tool': {
      const toolCallId = message.tool_call_id ?? ''
      const toolName = toolNames.get(toolCallId) ?? message.name ?? 'unknown'
      const output = { type: 'text' as const, value: textOf(message) }
      return { role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] }
    }
  }
}

function partsOf({ content }: Message): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content ?? []
}

function toAssistantParts(
  message: Message,
): Extract<LanguageModelV4Message, { role: 'assistant' }>['content'] {
  const { reasoning_content: reasoning, tool_calls: calls = [] } = message
  const text = textOf(message)
  return [
    ...(typeof reasoning === 'string' ? [{ type: 'reasoning' as const, text: reasoning }] : []),
    ...(text ? [{ type: 'text' as const, text }] : []),
    ...calls.map(({ id, function: { name, arguments: input } }) => {
      return { type: 'tool-call' as const, toolCallId: id, toolName: name, input: parseJson(input) }
    }),
  ]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The parts of the wire, each under a key with the name of its type. */
interface WireParts {
  text?: string
  image_url?: { url: string; detail?: string }
  video_url?: { url: string }
  input_audio?: { data: string; format: string }
  file?: { file_data?: string; filename?: string }
}

function toUserPart(part: ContentPart): { type: 'text'; text: string } | LanguageModelV4FilePart {
  const { text, image_url: image, video_url: video, input_audio: audio, file } = part as WireParts
  if (part.type === 'text') return { type: 'text', text: text ?? '' }
  if (image) {
    const { detail: imageDetail } = image
    return {
      ...toFile(image.url, 'image'),
      ...(imageDetail && { providerOptions: { openai: { imageDetail } } }),
    }
  }
  if (video) return toFile(video.url, 'video')
  if (audio)
    return { type: 'file', mediaType: `audio/${audio.format}`, data: { type: 'data', data: audio.data } }
  if (file?.file_data) return { ...toFile(file.file_data, 'application/pdf'), filename: file.filename }
  throw new UsageError(`an AI SDK model takes no content part of type "${part.type}"`)
}

function toFile(address: string, mediaType: string): LanguageModelV4FilePart {
  const [, type, data] = /^data:([^;,]*)(?:;[^,]*)?;base64,(.*)$/s.exec(address) ?? []
  if (data !== undefined) return { type: 'file', mediaType: type || mediaType, data: { type: 'data', data } }
  if (!URL.canParse(address)) throw new UsageError(`expected a URL of a file, got "${address.slice(0, 80)}"`)
  return { type: 'file', mediaType, data: { type: 'url', url: new URL(address) } }
}

/** Versions 2 and 3 have file data without a tag, and a wildcard if only part of the type is known. */
function withPlainFiles(prompt: LanguageModelV4Prompt): unknown[] {
  return prompt.map((message) => {
    if (message.role !== 'user') return message
    return { ...message, content: message.content.map((p) => (p.type === 'file' ? withPlainData(p) : p)) }
  })
}

function withPlainData({ data, mediaType, ...part }: LanguageModelV4FilePart) {
  const plain = data.type === 'url' ? data.url : data.type === 'data' ? data.data : undefined
  return { ...part, data: plain, mediaType: mediaType.includes('/') ? mediaType : `${mediaType}/*` }
}

function toTool({ function: { name, description, parameters, strict } }: Tool) {
  return {
    type: 'function' as const,
    name,
    ...(description !== undefined && { description }),
    inputSchema: (parameters ?? { type: 'object', properties: {} }) as JSONSchema7,
    ...(strict != null && { strict }),
  }
}

function toToolChoice(choice: ToolChoice) {
  if (typeof choice === 'string') return { type: choice }
  return { type: 'tool' as const, toolName: choice.function.name }
}

function toResponseFormat(format: ResponseFormat): LanguageModelV4CallOptions['responseFormat'] {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json_object') return { type: 'json' }
  const { name, description, schema } = format.json_schema
  return { type: 'json', name, description, schema: schema as JSONSchema7 | undefined }
}
