/** What a model's server refuses, learned from its refusals: fields that are left out, and turns that are rewritten. */

import type { Message, ReasoningEffort, Sampling } from '../../core/provider/engine.ts'
import type { EngineError } from '../../core/provider/errors.ts'
import { UpstreamError } from './error.ts'
import { namesField, wordsOf } from './named-fields.ts'
import { type Rewrite, rewriteFor, rewriteMessages } from './rewrites.ts'

/** One thing that was learned, and the words for it. */
export interface Lesson {
  /** A field of the wire, or a rewriting of messages. */
  about: string
  text: string
  rewrite?: Rewrite
  /** The engine itself acts on it; here it is only reported. */
  isNote?: true
}

const NO_STREAM =
  /stream\w*[^.]{0,40}(not (supported|available|allowed|enabled|permitted)|unsupported|disabled)|(not|n't) support\w* stream|verified to stream/i

/** Fields that may be left out, with what that means, and other names that servers give them. */
const optional: Record<string, { effect: string; names?: string[]; words?: RegExp; isOurs?: true }> = {
  seed: { effect: 'the same seed does not give the same samples', names: ['random_seed'], isOurs: true },
  stream_options: { effect: 'token counts are estimates', names: ['include_usage'], isOurs: true },
  temperature: { effect: "the model's own temperature holds" },
  top_p: { effect: "the model's own value holds", names: ['topP'] },
  top_k: { effect: "the model's own value holds", names: ['topK'] },
  min_p: { effect: "the model's own value holds", names: ['minP'] },
  frequency_penalty: { effect: 'there is no such penalty', names: ['frequencyPenalty'] },
  presence_penalty: { effect: 'there is no such penalty', names: ['presencePenalty'] },
  reasoning_effort: {
    effect: "the model's own effort holds",
    names: [
      'reasoningEffort',
      'reasoning',
      'effort',
      'output_config',
      'thinking',
      'thinking level',
      'thinking mode',
      ...['Config', 'Level', 'Budget'].flatMap((part) => [
        `thinking${part}`,
        `thinking_${part.toLowerCase()}`,
      ]),
    ],
  },
  parallel_tool_calls: { effect: 'the model decides how many tools it calls', names: ['parallelToolCalls'] },
  stream: { effect: 'answers come whole', words: NO_STREAM, isOurs: true },
}

/** Sampling settings by their names on the wire. */
export function toWire(sampling: Sampling) {
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    min_p: sampling.minP,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    reasoning_effort: sampling.reasoning,
  }
}

/** The settings that are left on the wire. */
export function fromWire(body: Record<string, unknown>): Sampling {
  const number = (field: string) => body[field] as number | undefined
  return {
    temperature: number('temperature'),
    topP: number('top_p'),
    topK: number('top_k'),
    minP: number('min_p'),
    frequencyPenalty: number('frequency_penalty'),
    presencePenalty: number('presence_penalty'),
    reasoning: body.reasoning_effort as ReasoningEffort | undefined,
  }
}

/** The field of the wire that a name of another interface means (`topP`, `random_seed`), if it may be left out. */
export function fieldNamed(name: string): string | undefined {
  return Object.keys(optional).find((field) => field === name || optional[field]?.names?.includes(name))
}

/** Whether the engine itself adds a field, without being asked. */
export function isOurs(field: string | undefined): boolean {
  return field !== undefined && optional[field]?.isOurs === true
}

/** Adds a lesson, unless it is known. */
export function addLesson(lessons: readonly Lesson[], lesson: Lesson): readonly Lesson[] {
  return lessons.some(({ about }) => about === lesson.about) ? lessons : [...lessons, lesson]
}

/** Whether a refusal is one from which something may be learned. A library refuses without a status. */
export function isLesson(error: EngineError): error is UpstreamError {
  const isRefused = error.status === undefined || [400, 422, 500].includes(error.status)
  return error instanceof UpstreamError && isRefused && error.kind === 'refused'
}

/** What was sent: the body's fields and messages, and the fields that a caller passed on. */
export interface SentRequest {
  body: Record<string, unknown>
  messages: Message[]
  passed?: Record<string, unknown>
  strict?: boolean
}

/**
 * What a refusal teaches about a field or the messages; undefined if nothing. Of two fields that exclude each other
 * the later one goes. A strict request keeps what its caller set.
 */
export function readLesson(error: UpstreamError, sent: SentRequest): Lesson | undefined {
  const field = findRefused(error, sent)
  if (field) return { about: field, text: describeLeftOut(error.engine, field) }
  const rewrite = rewriteFor(
    wordsOf(error),
    sent.messages,
    'tools' in sent.body && sent.body.tools !== undefined,
  )
  return rewrite && { about: rewrite.name, text: rewrite.text, rewrite: rewrite.name }
}

function findRefused(error: UpstreamError, { body, passed = {}, strict }: SentRequest): string | undefined {
  const mayGo = [...Object.keys(optional), ...Object.keys(passed)]
    .filter((field) => body[field] !== undefined)
    .filter((field) => !strict || isOurs(field))
  const { named = [] } = error.details
  const namesOf = (field: string) => [field, ...(optional[field]?.names ?? [])]
  const isSaid = (field: string) => {
    if (optional[field]?.words?.test(wordsOf(error))) return true
    // A word of plain English must be quoted to be a name.
    return namesOf(field).some((name) => (isWord(name) ? quotes(error, name) : namesField(error, name)))
  }
  const isNamed = (field: string) => named.some((name) => namesOf(field).includes(name))
  const byName = mayGo.filter(isNamed)
  const refused = byName.length > 0 ? byName : mayGo.filter(isSaid)
  return refused.includes('temperature') && refused.includes('top_p') ? 'top_p' : refused[0]
}

/** Words that also stand in refusals of something else. */
const isWord = (name: string) =>
  ['user', 'metadata', 'reasoning', 'store', 'stream', 'thinking', 'effort'].includes(name)

function quotes(error: UpstreamError, name: string): boolean {
  return new RegExp(
    `['"\`]${name}(?:\\.[\\w.]+)?['"\`]|(?:argument|parameter|field)s?:? (?:supplied: )?${name}\\b|^${name}(?:\\.[\\w.]+)?: `,
  ).test(wordsOf(error))
}

/** Says that a field is left out, and what that means. */
export function describeLeftOut(engine: string, field: string, verb = 'refuses'): string {
  const effect = optional[field]?.effect ?? 'it has no effect'
  return `${engine} ${verb} \`${field}\`, so it is left out: ${effect}`
}

/** Leaves out and rewrites what was learned. `warnings` says what that changed in this request. */
export function applyLessons(
  { body, messages, strict }: SentRequest,
  lessons: readonly Lesson[],
): { body: Record<string, unknown>; messages: Message[]; warnings: string[] } {
  const warnings: string[] = []
  const kept = { ...body }
  let turns = messages
  for (const { about, text, rewrite, isNote } of lessons) {
    if (isNote) warnings.push(text)
    else if (rewrite) {
      const rewritten = rewriteMessages(rewrite, turns, body.tools !== undefined)
      if (rewritten !== turns) warnings.push(text)
      turns = rewritten
    } else if (kept[about] !== undefined && !(strict && !isOurs(about))) {
      delete kept[about]
      warnings.push(text)
    }
  }
  return { body: kept, messages: turns, warnings }
}
