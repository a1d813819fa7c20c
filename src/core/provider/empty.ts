/** Why there is nothing to work with: completions that came back empty, or failed. */
import type { CompletionEnd } from './engine.ts'
import { EngineError, type ErrorRecord } from './errors.ts'

type Empty = Pick<CompletionEnd, 'finishReason' | 'reasoning' | 'usage'>

/** Says in words why completions are empty, and what helps; one entry per reason. */
export function describeEmpty(completions: Empty[]): string[] {
  const reasons = Map.groupBy(completions, whyEmpty)
  return [...reasons].map(([reason, { length }]) => `${length} came back empty${reason}`)
}

function whyEmpty({ finishReason, reasoning, usage }: Empty): string {
  const thought = usage.reasoningTokens || (reasoning ? usage.outputTokens : 0)
  if (finishReason === 'length' && thought > 0) {
    return `: the limit was spent on thinking (${thought} tokens, finish reason length). Set a higher --max-tokens (\`maxTokens\`) or a lower --reasoning`
  }
  if (finishReason === 'length')
    return ': the limit was reached (finish reason length). Set a higher --max-tokens (`maxTokens`)'
  if (finishReason === 'content-filter') return ": the model's content filter held the text back"
  return thought > 0 ? ': the model only thought' : ''
}

/** The error of a layer without a usable completion: each reason once, and the longest delay that a server asked for. */
export function errorOfNone(
  completions: (Empty & { engine: string })[],
  failures: { engine: string; error: ErrorRecord }[],
): EngineError {
  const failed = [...new Set(failures.map((f) => f.error.message))].slice(0, 3)
  const messages = [...failed, ...describeEmpty(completions)]
  const { engine, error } = failures[0] ?? { engine: completions[0]?.engine ?? 'none' }
  const kind = (error?.kind ?? 'missing') as EngineError['kind']
  const { status, param } = error ?? {}
  // A retry asks every engine again, so it must wait for the longest delay.
  const delays = failures.flatMap((f) => f.error.retryAfterMs ?? [])
  const retryAfterMs = delays.length > 0 ? Math.max(...delays) : undefined
  return new EngineError(engine, kind, `no proposal is left: ${messages.join('; ')}`, {
    status,
    param,
    retryAfterMs,
  })
}
