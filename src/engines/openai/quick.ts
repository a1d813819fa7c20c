/**
 * Takes chunks that differ from an earlier one in nothing but a text: what else stands in them was read once. Most chunks
 * of a stream are such.
 */
import { addContent, addReasoning } from '../transcript.ts'
import type { Alike } from './alike.ts'
import { type Chunk, findUsage, finishOf, pieceOf, readWords } from './chunk.ts'
import type { Completion } from './completion.ts'
import { asFields } from './fields.ts'
import { callsIn } from './tool-calls.ts'

/** How all chunks of a kind are taken. */
export interface Quick {
  /** The completion of their choice; undefined if there is none. */
  readonly completion: Completion | undefined
  readonly add: (received: Completion['received'], text: string) => void
}

/** How to take chunks that are like this one, which was taken already; undefined if more than their text counts. */
export function toQuick(
  chunk: Chunk,
  { holder, name }: Alike,
  completion: Completion | undefined,
): Quick | undefined {
  const choice = asFields(Array.isArray(chunk.choices) ? chunk.choices[0] : undefined)
  const { piece, isWhole } = pieceOf(choice)
  const isInPiece = name === 'text' ? piece.content === choice.text : piece === holder
  if (isWhole || !isInPiece || findUsage(chunk, choice) || finishOf(choice) || choice.logprobs)
    return undefined
  if (callsIn(piece, choice).length > 0) return undefined
  const { content, reasoning } = readWords({ ...piece, [name === 'text' ? 'content' : name]: '' }, choice)
  if (content !== '' || reasoning !== '') return undefined
  return { completion, add: name === 'content' || name === 'text' ? addContent : addReasoning }
}

/** Takes a text. Whether it was anything that is still wanted. */
export function takeText({ completion, add }: Quick, text: string): boolean {
  if (!completion || (completion.hasEnded && !completion.isEarly) || text === '') return false
  const { received } = completion
  received.pieces++
  received.openPieces++
  received.chars += text.length
  add(received, text)
  return true
}
