/** What the words mean with which servers end a completion. */
import type { FinishReason } from '../../core/provider/engine.ts'

/** How an end is to be taken; `unknown` is a word that no server is known for. */
export type Ending = FinishReason | 'failure' | 'unknown'

const NATURAL =
  /^(stop|eos|eos_token|eos_token_id|<?\/?s>?|end|end_turn|end_of_turn|end_of_text|stop_sequence|stop_sequences|stop_str|stop_string|stop_token|stop_word|pause_turn|complete|completed|finish|finished|done|normal|success|natural)$/i
const CALLS = /^(tool_?calls?|tool_?use|function_?calls?)$/i
const CUT = /length|max_?(new_|output_|completion_)?tokens|token_?limit|window_exceeded|^limit$|^repetition$/i
const FILTERED =
  /filter|safety|sensitive|block|prohibited|spii|recitation|refus|moderat|guardrail|policy|inspection|language/i
const FAILED =
  /error|fail|abort|cancel|insufficient|time_?(d_)?out|overload|unavailable|exception|interrupt|connect|network|malformed|unexpected|lost|crash|broken|incomplete|preempt|killed|evict|throttl|rate_?limit/i

/** What a server's word means. Words of failure come first: no half answer is taken for a whole one. */
export function readFinish(word: string): Ending {
  if (NATURAL.test(word)) return 'stop'
  if (CALLS.test(word)) return 'tool-calls'
  if (FAILED.test(word)) return 'failure'
  if (FILTERED.test(word)) return 'content-filter'
  return CUT.test(word) ? 'length' : 'unknown'
}
