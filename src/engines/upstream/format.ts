/** Response formats that a server does not take: asked for in another form, or in words. */
import type { Message, ResponseFormat } from '../../core/provider/engine.ts'
import type { UpstreamError } from './error.ts'
import { namesField } from './named-fields.ts'

/** A type of response format that servers may refuse. */
export type FormatType = 'json_schema' | 'json_object'

/** A format as it is sent. */
interface Fitted {
  format?: ResponseFormat
  /** What the messages say in its place. */
  instruction?: string
}

/** The format to send to a server that refuses some types. */
export function fitFormat(format: ResponseFormat | undefined, refused: readonly FormatType[]): Fitted {
  if (!format || format.type === 'text' || !refused.includes(format.type)) return { format }
  if (format.type === 'json_object') {
    const asSchema = { name: 'answer', schema: { type: 'object' } }
    if (!refused.includes('json_schema')) return { format: { type: 'json_schema', json_schema: asSchema } }
    return { instruction: 'Reply with one JSON object and nothing else.' }
  }
  const schema = JSON.stringify(format.json_schema.schema ?? {})
  const instruction = `Reply with one JSON value that follows this JSON schema, and with nothing else:\n${schema}`
  return refused.includes('json_object') ? { instruction } : { format: { type: 'json_object' }, instruction }
}

/** The messages with an instruction at the end of the system message. */
export function instruct(messages: Message[], instruction: string | undefined): Message[] {
  if (instruction === undefined) return messages
  const [first, ...rest] = messages
  const isSystem = first?.role === 'system' && typeof first.content === 'string'
  if (!isSystem) return [{ role: 'system', content: instruction }, ...messages]
  return [{ ...first, content: `${first.content}\n\n${instruction}`.trim() }, ...rest]
}

const TYPE_REFUSED =
  /unavailable|not (support\w*|enabled|available|allowed)|n't support|unsupported|only (available|supported|enabled)|(available|supported|enabled) only|must be/i
const WRONG_SCHEMA = /\bschema (for|is|must)\b|in context=|invalid schema/i

/** The type of format that a refusal is about; undefined if it is about the schema, or something else. */
export function refusedFormat(error: UpstreamError, format: unknown): FormatType | undefined {
  const { type } = (format ?? {}) as { type?: unknown }
  if (type !== 'json_schema' && type !== 'json_object') return undefined
  const { serverMessage = '', named = [] } = error.details
  const isNamed =
    namesField(error, 'response[_ ]format', type) || named.some((name) => name.startsWith('response_format'))
  return isNamed && TYPE_REFUSED.test(serverMessage) && !WRONG_SCHEMA.test(serverMessage) ? type : undefined
}
