/** The schema of every line ever written to disk by a run. Unknown fields are kept: a newer line is still a line. */
import { z } from 'zod'
import type { Plan, Prompt } from '../core/plan.ts'
import type { Message, ToolCall, Usage } from '../core/provider/engine.ts'
import type { ErrorRecord } from '../core/provider/errors.ts'
import type { Completion, Failure } from '../core/provider/records.ts'
import type { UsageTotal } from '../core/provider/usage.ts'
import { describeIssue, inWords } from './json-file.ts'

const message = z.custom<Message>(
  (value) => typeof value === 'object' && value !== null && typeof (value as Message).role === 'string',
  'expected a message with a `role`',
)
const usage = z.looseObject({
  calls: z.number(),
  inputTokens: z.number(),
  prefilledTokens: z.number().nullable(),
  outputTokens: z.number(),
})
/** No plan is larger. A journal edited by hand may say anything, and readers keep a list of layers. */
const layer = z.int().min(0).max(999)
const place = z.int().min(0).max(99_999)
const member = {
  index: place,
  voice: place,
  engine: z.string(),
  seed: z.int(),
  ms: z.number(),
}
const error = z.looseObject({ kind: z.string(), message: z.string() })

/** First line of a journal: all that decides what the other lines mean. */
const headerRecord = z.looseObject({
  type: z.literal('header'),
  version: z.literal(1),
  aft: z.string(),
  plan: z.custom<Plan>(
    (value) => Array.isArray((value as Plan | null)?.layers),
    'expected a plan with `layers`',
  ),
  template: z.looseObject({ id: z.string(), sha256: z.string() }),
  /** Ids of the engines, by the names that the plan uses. */
  engines: z.record(z.string(), z.string()),
})
const promptRecord = z.looseObject({
  type: z.literal('prompt'),
  id: z.string(),
  messages: z.array(message),
})
const completionRecord = z.looseObject({
  type: z.literal('completion'),
  prompt: z.string(),
  layer,
  ...member,
  text: z.string(),
  finishReason: z.string(),
  usage,
})
const failureRecord = z.looseObject({
  type: z.literal('failure'),
  prompt: z.string(),
  layer,
  ...member,
  error,
})
const usageRecord = z.looseObject({
  type: z.literal('usage'),
  prompt: z.string(),
  layer,
  index: place,
  engine: z.string(),
  seed: z.int(),
  usage,
  completion: z.looseObject({ ...member, text: z.string(), finishReason: z.string(), usage }).optional(),
})
const layerRecord = z.looseObject({
  type: z.literal('layer'),
  prompt: z.string(),
  layer,
  /** Members that the next layer is shown. */
  shown: z.array(place),
})
const answerRecord = z.looseObject({
  type: z.literal('answer'),
  prompt: z.string(),
  ms: z.number().optional(),
})

/** Any line of a journal, as a schema. */
export const journalRecord = z.discriminatedUnion('type', [
  headerRecord,
  promptRecord,
  completionRecord,
  failureRecord,
  usageRecord,
  layerRecord,
  answerRecord,
])

/**
 * Checks that a value is a line of a journal, and returns it.
 * @throws Error that says what was expected
 */
export function parseRecord(value: unknown): JournalRecord {
  const { error } = journalRecord.safeParse(value, inWords)
  const issue = error?.issues[0]
  if (!issue) return value as JournalRecord
  if (issue.code === 'invalid_union' && issue.path[0] === 'type') {
    const { type } = value as { type?: unknown }
    throw new Error(
      `expected a line of a journal, with a \`type\` such as header, got ${JSON.stringify(type) ?? 'no `type`'}`,
    )
  }
  throw new Error(`expected a line of a journal; ${describeIssue(issue, value)}`)
}

/** The first line: which plan, template and engines the other lines were made with. */
export interface HeaderRecord {
  type: 'header'
  version: 1
  aft: string
  plan: Plan
  template: { id: string; sha256: string }
  engines: Record<string, string>
}
/** A prompt, before anything that was made for it. */
export type PromptRecord = { type: 'prompt' } & Prompt
/** A completion, with its prompt and layer. */
export type CompletionRecord = { type: 'completion'; prompt: string; layer: number } & Completion
/** A completion that failed. */
export type FailureRecord = { type: 'failure'; prompt: string; layer: number } & Failure
/**
 * The usage of a completion that was recorded before its server had reported it: the line before has an estimate.
 * `completion` replaces that line: more of it came, or it is certain now that no more comes.
 */
export type UsageRecord = { type: 'usage'; prompt: string; layer: number; completion?: Completion } & Pick<
  Completion,
  'index' | 'engine' | 'seed' | 'usage'
>
/** The end of a layer, with the members that the next layer is shown. */
export type LayerRecord = { type: 'layer'; prompt: string; layer: number; shown: number[] }
/** The end of a prompt. One that ended in an error may be tried again: its earlier lines then no longer count. */
export type AnswerRecord = { type: 'answer'; prompt: string } & Answer

/** How a prompt ended: with an answer, or with an error. */
export type Answer =
  | {
      answer: string
      finishReason: string
      toolCalls?: ToolCall[]
      degraded: boolean
      degradedBecause?: string[]
      warnings?: string[]
      usage: UsageTotal
      ms: number
    }
  | { error: ErrorRecord; usage?: Usage }

/** Any line of a journal. */
export type JournalRecord =
  | HeaderRecord
  | PromptRecord
  | CompletionRecord
  | FailureRecord
  | UsageRecord
  | LayerRecord
  | AnswerRecord
