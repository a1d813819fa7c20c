/** Turns the input of POST /v1/responses into the messages of a chat. */
import { z } from 'zod'
import type { ContentPart, Message } from '../../core/provider/engine.ts'
import { ApiError, parseBody } from './api-error.ts'

/** Accepts a string; the error says what to send instead. */
const text = (problem: string) => z.custom<string>((value) => typeof value === 'string', problem)

const part = z.looseObject({ type: z.string() })
const textPart = z.looseObject({ text: z.string() })
const refusalPart = z.looseObject({ refusal: z.string() })
const imagePart = z.looseObject({
  image_url: text('expected an address or data of an image; files are not stored'),
  detail: z.string().nullish(),
})
const filePart = z.looseObject({
  file_data: text('expected the data of a file; files are not stored'),
  filename: z.string().nullish(),
})
const content = z.union([z.string(), z.array(z.unknown())], {
  error: 'expected a string or an array of parts',
})
const messageItem = z.looseObject({ role: z.enum(['system', 'developer', 'user', 'assistant']), content })
const callItem = z.looseObject({ call_id: z.string(), name: z.string(), arguments: z.string() })
const outputItem = z.looseObject({ call_id: z.string(), output: content })
const anyItem = z.looseObject({ type: z.string().optional() })
const reference = z.looseObject({ id: z.string() })

/** Finds an item of an earlier answer by its id. */
type FindItem = (id: string) => object | undefined

/**
 * Makes messages from an input, which is a text or a list of items.
 * @param find resolves references to items of earlier answers
 * @throws ApiError 400 with the path of a wrong field, of an unknown kind, or of an item that is not kept
 */
export function toMessages(input: string | unknown[], find: FindItem = () => undefined): Message[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  const messages: Message[] = []
  for (const [i, item] of input.entries()) addItem(messages, resolve(item, find, ['input', i]), ['input', i])
  if (messages.length > 0) return messages
  throw new ApiError(400, 'input: expected at least one message', { param: 'input', code: 'invalid_value' })
}

function resolve(item: unknown, find: FindItem, path: PropertyKey[]): unknown {
  const { type, id: given } = parseBody(anyItem, item, path)
  // The wire allows a reference without its type.
  const isReference = type === 'item_reference' || (type === undefined && given !== undefined && isBare(item))
  if (!isReference) return item
  const { id } = parseBody(reference, item, path)
  const found = find(id)
  if (found) return found
  const advice =
    "send items whole; in the AI SDK set providerOptions.openai.store to false, or use openai.chat('aft')"
  const param = [...path, 'id'].join('.')
  const problem = `${param}: the item "${id.slice(0, 100)}" is not kept here: ${advice}`
  throw new ApiError(400, problem, { param, code: 'item_not_found' })
}

const isBare = (item: unknown) => Object.keys(item as object).length === 1

function addItem(messages: Message[], item: unknown, path: PropertyKey[]): void {
  const { type = 'message' } = parseBody(anyItem, item, path)
  if (type === 'message') {
    const { role, content } = parseBody(messageItem, item, path)
    messages.push({ role, content: toContent(content, [...path, 'content']) })
  } else if (type === 'function_call') {
    const { call_id, name, arguments: text } = parseBody(callItem, item, path)
    const call = { id: call_id, type: 'function' as const, function: { name, arguments: text } }
    const last = messages.at(-1)
    if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call]
    else messages.push({ role: 'assistant', content: null, tool_calls: [call] })
  } else if (type === 'function_call_output') {
    const { call_id, output } = parseBody(outputItem, item, path)
    messages.push({ role: 'tool', tool_call_id: call_id, content: toContent(output, [...path, 'output']) })
  } else if (type !== 'reasoning') throw unknownKind(type, path)
}

/** Makes one text if all parts are texts, because every engine understands a text. */
function toContent(given: z.infer<typeof content>, path: PropertyKey[]): string | ContentPart[] {
  if (typeof given === 'string') return given
  const parts = given.map((value, i) => toPart(value, [...path, i]))
  const texts = parts.flatMap((p) => (p.type === 'text' ? [String(p.text)] : []))
  return texts.length === parts.length ? texts.join('') : parts
}

function toPart(value: unknown, path: PropertyKey[]): ContentPart {
  const { type } = parseBody(part, value, path)
  if (type === 'input_text' || type === 'output_text' || type === 'text') {
    return { type: 'text', text: parseBody(textPart, value, path).text }
  }
  if (type === 'refusal') return { type: 'text', text: parseBody(refusalPart, value, path).refusal }
  if (type === 'input_image') {
    const { image_url: url, detail } = parseBody(imagePart, value, path)
    return { type: 'image_url', image_url: { url, ...(detail && { detail }) } }
  }
  if (type === 'input_file') {
    const { file_data, filename } = parseBody(filePart, value, path)
    return { type: 'file', file: { file_data, ...(filename && { filename }) } }
  }
  throw unknownKind(type, path)
}

function unknownKind(type: string, path: PropertyKey[]): ApiError {
  const param = [...path, 'type'].map(String).join('.')
  return new ApiError(400, `${param}: "${type.slice(0, 100)}" is not supported`, {
    param,
    code: 'unsupported_value',
  })
}
