/** Why a completion came back empty. */
import type { CompletionEnd } from './engine.ts'

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
