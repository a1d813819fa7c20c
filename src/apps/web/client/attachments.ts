/** Images and text files that are sent with a question. */
import type { ContentPart } from '../../../core/provider/engine.ts'
import type { Content } from './run.ts'

/** A file that goes with a question. */
export interface Attachment {
  name: string
  kind: 'image' | 'text'
  /** An image as a data address, or the text. */
  data: string
}

/** A request has at most 8 MiB, and an image is a third longer as text. */
const MOST_IMAGE_BYTES = 4_000_000
const MOST_TEXT_BYTES = 400_000
/** Most files of one question. */
export const MOST_FILES = 8

/**
 * Reads a file.
 * @throws Error in words for a file that is too large, or neither an image nor text
 */
export async function readAttachment(file: File): Promise<Attachment> {
  if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) {
    checkSize(file, MOST_IMAGE_BYTES)
    return { name: file.name, kind: 'image', data: await readAddress(file) }
  }
  checkSize(file, MOST_TEXT_BYTES)
  const data = decode(await file.arrayBuffer())
  if (data === undefined)
    throw new Error(`${file.name} is no text and no image (PNG, JPEG, GIF or WebP): it cannot be attached`)
  return { name: file.name, kind: 'text', data }
}

function checkSize({ name, size }: File, most: number): void {
  if (size <= most) return
  throw new Error(`${name} has ${(size / 1e6).toFixed(1)} MB; at most ${most / 1e6} MB can be attached`)
}

function decode(bytes: ArrayBuffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function readAddress(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(new Error(`${file.name} cannot be read`))
    reader.readAsDataURL(file)
  })
}

const HEAD = /^File (.{1,300}?):\n\n/

/** Makes the content of a question: the text alone, or parts with the files before the question. */
export function toContent(question: string, files: Attachment[]): Content {
  if (files.length === 0) return question
  const parts = files.map(
    ({ name, kind, data }): ContentPart =>
      kind === 'image'
        ? { type: 'image_url', image_url: { url: data } }
        : { type: 'text', text: `File ${name.replace(/\s+/g, ' ').slice(0, 200)}:\n\n${data}\n\n` },
  )
  return question ? [...parts, { type: 'text', text: question }] : parts
}

/** Returns the content with another question and the same files. */
export function withQuestion(content: Content, question: string): Content {
  if (!Array.isArray(content)) return question
  const files = content.filter((part) => part.type !== 'text' || HEAD.test(String(part.text)))
  return [...files, { type: 'text', text: question }]
}

/** Returns what is attached to a question, for display. */
export function attachmentsOf(content: Content | null | undefined): Attachment[] {
  if (!Array.isArray(content)) return []
  return content.flatMap((part): Attachment[] => {
    const url = part.type === 'image_url' ? (part.image_url as { url?: unknown } | undefined)?.url : undefined
    if (typeof url === 'string' && url.startsWith('data:image/'))
      return [{ name: 'image', kind: 'image', data: url }]
    const name = part.type === 'text' ? HEAD.exec(String(part.text))?.[1] : undefined
    return name === undefined ? [] : [{ name, kind: 'text', data: '' }]
  })
}
