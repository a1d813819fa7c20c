/** Turns an answer into the AI SDK's content and stream parts. */
import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider'
import type { ToolCallDelta } from '../../core/provider/engine.ts'
import type { Completion } from '../../core/provider/records.ts'
import type { AftEvent, Result } from '../../core/result.ts'
import type { Answered, Sink } from '../../request/live.ts'
import { isReused } from '../../request/loop.ts'
import { traceOf, usageOf } from '../../request/trace.ts'

type Ending = Pick<LanguageModelV4GenerateResult, 'finishReason' | 'usage' | 'providerMetadata'>

/** Makes the end of an answer, whole or streamed: the usage of all calls, and the trace as `providerMetadata.aft`. */
export function endingOf(answered: Answered, showProposals: boolean): Ending {
  const { result } = answered
  return {
    finishReason: { unified: result.finishReason, raw: result.finishReason },
    usage: toUsage(result),
    providerMetadata: { aft: toJson(traceOf(answered, { showProposals })) },
  }
}

/** Turns the trace into JSON, without undefined fields. */
function toJson(trace: object): SharedV4ProviderMetadata[string] {
  return JSON.parse(JSON.stringify(trace))
}

function toUsage(result: Result): LanguageModelV4Usage {
  const { prompt_tokens: total, completion_tokens: written, ...more } = usageOf(result.usage, result)
  const { cached_tokens: cached } = more.prompt_tokens_details
  const { reasoning_tokens: reasoning } = more.completion_tokens_details
  return {
    inputTokens: { total, noCache: total - cached, cacheRead: cached, cacheWrite: undefined },
    outputTokens: { total: written, text: written - reasoning, reasoning },
    raw: { ...result.usage },
  }
}

/** The usage of a failed answer. */
export const noUsage: LanguageModelV4Usage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
}

/** Makes the content of an answer: the proposals if they are shown, then reasoning, text and tool calls. */
export function contentOf({ result, choices }: Answered, showProposals: boolean): LanguageModelV4Content[] {
  const answer = choices.get(0) as Completion
  // The proposals of an earlier step were content of that step.
  const proposals = result.layers
    .slice(0, result.from.layer)
    .flatMap(({ completions }, layer) =>
      completions.filter((c) => !isReused(c)).map((c) => ({ ...placeOf(layer, c.index), text: c.text })),
    )
  return [
    ...(showProposals
      ? proposals.map(({ text, providerMetadata }) => ({ ...reasoning(text), providerMetadata }))
      : []),
    ...(answer.reasoning ? [reasoning(answer.reasoning)] : []),
    ...(answer.text ? [{ type: 'text' as const, text: answer.text }] : []),
    ...(answer.toolCalls ?? []).map(({ id, function: { name, arguments: input } }) => {
      return { type: 'tool-call' as const, toolCallId: id, toolName: name, input }
    }),
  ]
}

const reasoning = (text: string) => ({ type: 'reasoning' as const, text })

/** Makes the id of a proposal's reasoning part, with the proposal's place. */
function placeOf(layer: number, index: number) {
  return { id: `proposal-${layer}-${index}`, providerMetadata: { aft: { layer, index } } }
}

/** Writes the pieces of an answer as stream parts. A part opens with its first piece. The first text closes the reasoning; `end` closes the rest. */
export function partWriter(send: (part: LanguageModelV4StreamPart) => void, showProposals: boolean) {
  const open = new Map<string, 'text' | 'reasoning'>()
  const calls: { id: string; name: string; input: string }[] = []
  /** The layer that answers. */
  let last = Number.POSITIVE_INFINITY

  const add = (kind: 'text' | 'reasoning', id: string, delta: string, more: object = {}) => {
    if (!open.has(id)) send({ type: `${kind}-start`, id, ...more })
    open.set(id, kind)
    send({ type: `${kind}-delta`, id, delta })
  }
  const close = (id: string) => {
    const kind = open.get(id)
    if (kind) send({ type: `${kind}-end`, id })
    open.delete(id)
  }
  const grow = ({ position, id, name, arguments: piece }: ToolCallDelta) => {
    let call = calls[position]
    if (!call) {
      call = { id: id ?? `call-${position}`, name: name ?? '', input: '' }
      calls[position] = call
      send({ type: 'tool-input-start', id: call.id, toolName: call.name })
    }
    if (!piece) return
    call.input += piece
    send({ type: 'tool-input-delta', id: call.id, delta: piece })
  }
  const propose = (event: AftEvent) => {
    if (event.type === 'layer-start' && event.isLast) last = event.layer
    if (!showProposals || !('layer' in event) || event.layer >= last) return
    if (event.type === 'completion-delta') {
      const { id, ...more } = placeOf(event.layer, event.index)
      add('reasoning', id, event.text, more)
    } else if (event.type === 'completion-restarted') {
      const { id } = placeOf(event.layer, event.index)
      if (open.has(id)) add('reasoning', id, '\n[starts again]\n')
    } else if (event.type === 'completion-end') close(placeOf(event.layer, event.completion.index).id)
    else if (event.type === 'completion-failed') close(placeOf(event.layer, event.failure.index).id)
  }
  return {
    sink: (): Sink => ({
      content: (_, text) => {
        close('reasoning')
        add('text', 'text', text)
      },
      reasoning: (_, text) => add('reasoning', 'reasoning', text),
      toolCall: (_, delta) => grow(delta),
      event: propose,
    }),
    end: () => {
      for (const id of [...open.keys()]) close(id)
      for (const { id, name, input } of calls.filter(Boolean)) {
        send({ type: 'tool-input-end', id })
        send({ type: 'tool-call', toolCallId: id, toolName: name, input: input || '{}' })
      }
    },
  }
}
