/** The turns of POST /v1/messages, as the messages of a chat. */
import { z } from 'zod'
import type { ContentPart, Message, ToolCall } from '../../../core/provider/engine.ts'
import { ApiError, parseBody } from '../api-error.ts'

const block = z.looseObject({ type: z.string() })
const content = z.union([z.string(), z.array(block)], { error: 'expected a string or an array of blocks' })
const textBlock = z.looseObject({ text: z.string() })
const imageSource = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
    z.looseObject({ type: z.literal('url'), url: z.string() }),
  ],
  { error: 'expected base64 or url; files are not stored' },
)
const documentSource = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
    z.looseObject({ type: z.literal('text'), data: z.string() }),
    z.looseObject({ type: z.literal('content'), content }),
  ],
  { error: 'expected base64, text or content; files are not stored' },
)
const imageBlock = z.looseObject({ source: imageSource })
const documentBlock = z.looseObject({ source: documentSource, title: z.string().nullish() })
const searchBlock = z.looseObject({ title: z.string(), source: z.string(), content })
const useBlock = z.looseObject({ id: z.string(), name: z.string(), input: z.record(z.string(), z.unknown()) })
const resultBlock = z.looseObject({
  tool_use_id: z.string(),
  content: content.nullish(),
  is_error: z.boolean().nullish(),
})

/** Text blocks, or one text. */
export const systemSchema = z.union([z.string(), z.array(textBlock)], {
  error: 'expected a string or an array of text blocks',
})
/** One turn; its blocks are checked by `toMessages`. */
export const turnSchema = z.looseObject({ role: z.enum(['user', 'assistant', 'system']), content })

type Path = PropertyKey[]
type Content = z.infer<typeof content>

/**
 * Messages of the turns. What a model thought in an earlier turn is left out.
 * @throws ApiError 400 with the path of what is wrong or of an unknown kind
 */
export function toMessages(
  turns: z.infer<typeof turnSchema>[],
  system?: z.infer<typeof systemSchema>,
): Message[] {
  const texts = typeof system === 'string' ? [system] : (system ?? []).map(({ text }) => text)
  const head = texts.join('\n\n')
  return [
    ...(head ? [{ role: 'system' as const, content: head }] : []),
    ...turns.flatMap(({ role, content }, i) => {
      const path = ['messages', i, 'content']
      if (role === 'assistant') return [toAssistant(content, path)]
      return role === 'user' ? toUser(content, path) : [{ role, content: toContent(content, path) }]
    }),
  ]
}

/** Results of tools become messages of their own, before what the user says with them. */
function toUser(content: Content, path: Path): Message[] {
  if (typeof content === 'string') return [{ role: 'user', content }]
  const isResult = ({ type }: { type: string }) => type === 'tool_result'
  const results = content.flatMap((b, i) => (isResult(b) ? [toResult(b, [...path, i])] : []))
  // Most servers take only text as the result of a tool: its images follow in the user's turn.
  const images = results.flatMap((result) => result.images)
  const said = content.flatMap((b, i) => (isResult(b) ? [] : toParts(b, [...path, i])))
  const parts = [...images, ...said]
  return [
    ...results.map(({ message }) => message),
    ...(parts.length > 0 || results.length === 0
      ? [{ role: 'user' as const, content: joinTexts(parts) }]
      : []),
  ]
}

function toResult(given: object, path: Path): { message: Message; images: ContentPart[] } {
  const { tool_use_id, content, is_error } = parseBody(resultBlock, given, path)
  const parts = toPartsOf(content ?? '', [...path, 'content'])
  const text = joinTexts(parts.filter(isText))
  const images = parts.filter((p) => !isText(p))
  return {
    message: { role: 'tool', tool_call_id: tool_use_id, content: is_error ? `Error: ${text}` : text },
    images,
  }
}

function toAssistant(content: Content, path: Path): Message {
  if (typeof content === 'string') return { role: 'assistant', content }
  const texts: string[] = []
  const calls: ToolCall[] = []
  for (const [i, given] of content.entries()) {
    const at = [...path, i]
    if (given.type === 'text') texts.push(parseBody(textBlock, given, at).text)
    else if (given.type === 'tool_use') {
      const { id, name, input } = parseBody(useBlock, given, at)
      calls.push({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } })
    } else if (!given.type.endsWith('thinking')) throw unknownKind(given.type, at)
  }
  const text = texts.join('')
  if (calls.length === 0) return { role: 'assistant', content: text }
  return { role: 'assistant', content: text || null, tool_calls: calls }
}

function toContent(content: Content, path: Path): string | ContentPart[] {
  return joinTexts(toPartsOf(content, path))
}

function toPartsOf(content: Content, path: Path): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.flatMap((b, i) => toParts(b, [...path, i]))
}

function toParts(given: { type: string }, path: Path): ContentPart[] {
  if (given.type === 'text') return [{ type: 'text', text: parseBody(textBlock, given, path).text }]
  if (given.type === 'image') {
    const { source } = parseBody(imageBlock, given, path)
    return [{ type: 'image_url', image_url: { url: source.type === 'url' ? source.url : toDataUrl(source) } }]
  }
  if (given.type === 'search_result') {
    const { title, source, content } = parseBody(searchBlock, given, path)
    return [{ type: 'text', text: `${title}\n${source}` }, ...toPartsOf(content, [...path, 'content'])]
  }
  if (given.type !== 'document') throw unknownKind(given.type, path)
  const { source, title } = parseBody(documentBlock, given, path)
  if (source.type === 'base64') {
    return [{ type: 'file', file: { file_data: toDataUrl(source), filename: title ?? 'document.pdf' } }]
  }
  const heading = title ? [{ type: 'text', text: title }] : []
  if (source.type === 'text') return [...heading, { type: 'text', text: source.data }]
  return [...heading, ...toPartsOf(source.content, [...path, 'source', 'content'])]
}

function toDataUrl({ media_type, data }: { media_type: string; data: string }): string {
  return `data:${media_type};base64,${data}`
}

const isText = (part: ContentPart) => part.type === 'text'

/** If all parts are texts they become one text, which every engine understands. */
function joinTexts(parts: ContentPart[]): string | ContentPart[] {
  return parts.every(isText) ? parts.map((part) => String(part.text)).join('\n\n') : parts
}

function unknownKind(type: string, path: Path): ApiError {
  const param = [...path, 'type'].map(String).join('.')
  return new ApiError(400, `${param}: "${type.slice(0, 100)}" is not supported`, {
    param,
    code: 'unsupported_value',
  })
}
