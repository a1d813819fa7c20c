/** A whole answer of an AI SDK language model, as the parts that its stream would have. */
import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider'
import type { StreamPart } from './stream.ts'

type Whole = Awaited<ReturnType<(LanguageModelV2 | LanguageModelV3 | LanguageModelV4)['doGenerate']>>

/** The parts in order: warnings, content, finish. */
export async function* partsOf({
  content,
  warnings,
  finishReason,
  usage,
}: Whole): AsyncGenerator<StreamPart> {
  yield { type: 'stream-start', warnings } as StreamPart
  for (const [at, part] of content.entries()) {
    if (part.type === 'text') yield { type: 'text-delta', id: String(at), delta: part.text }
    else if (part.type === 'reasoning') yield { type: 'reasoning-delta', id: String(at), delta: part.text }
    else if (part.type === 'tool-call') yield part
  }
  yield { type: 'finish', finishReason, usage } as StreamPart
}
