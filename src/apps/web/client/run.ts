/** A run as layers of members. It is built from the core's events as they happen, or from a journal. */

import type { Message } from '../../../core/provider/engine.ts'
import { textOf } from '../../../core/provider/engine.ts'
import type { Completion, Failure, Waited } from '../../../core/provider/records.ts'
import type { UsageTotal } from '../../../core/provider/usage.ts'
import type { AftEvent, Result } from '../../../core/result.ts'
import { describeNote } from '../../../plans/notes.ts'

/** One completion of a layer. */
export interface Member {
  index: number
  state: 'waiting' | 'writing' | 'done' | 'failed'
  engine?: string
  text: string
  reasoning: string
  /** How long it thought before its text, as the page saw it. */
  thoughtMs?: number
  tokens?: number
  ms?: number
  /** US dollars. */
  cost?: number
  excluded?: Completion['excluded']
  isCut?: boolean
  /** The members of the layer before that it saw, in order. */
  saw?: number[]
  trimmedTo?: number
  error?: string
  /** What it waits for. */
  note?: string
  waited?: Waited
}

/** One layer. */
export interface LayerView {
  isLast: boolean
  members: Member[]
  /** The members that the next layer saw; set when the layer has ended. */
  shown?: number[]
  /** What the layer waits for. */
  note?: string
}

/** The run of one question. */
export interface RunView {
  layers: LayerView[]
  state: 'running' | 'done' | 'failed' | 'stopped'
  answer?: string
  isCut?: boolean
  from?: { layer: number; index: number }
  degradedBecause: string[]
  usage?: UsageTotal
  ms?: number
  seed?: number
  strategy?: string
  /** Id of the template. */
  template?: string
  error?: string
}

/** A question and its run. */
export interface Turn {
  id: string
  messages: Message[]
  question: string
  run: RunView
  /** The settings of the run in words. */
  about?: string
  /** Other runs of the same question, in order. */
  others?: OtherRun[]
  /** Place of `run` among all runs of the question; absent if it is the last. */
  at?: number
}

/** Another run of a question. */
export type OtherRun = Pick<Turn, 'run' | 'about'>

/** Makes an empty run. */
export const newRun = (): RunView => ({ layers: [], state: 'running', degradedBecause: [] })

/** Changes a run by one event. */
export function takeEvent(run: RunView, event: AftEvent): void {
  if (event.type === 'answer') takeResult(run, event.result)
  else if (event.type === 'layer-start') {
    run.layers[event.layer] = {
      isLast: event.isLast,
      members: Array.from({ length: event.width }, (_, index) => newMember(index)),
    }
  } else takeInLayer(run.layers[event.layer], event)
}

type InLayer = Exclude<AftEvent, { type: 'answer' | 'layer-start' }>

function takeInLayer(layer: LayerView | undefined, event: InLayer): void {
  if (!layer) return
  if (event.type === 'layer-waiting') layer.note = describeNote(event)
  else if (event.type === 'layer-end') Object.assign(layer, { shown: event.shown, note: undefined })
  else if (event.type === 'completion-end' || event.type === 'completion-usage') {
    Object.assign(memberOf(layer, event.completion.index), finished(event.completion))
  } else if (event.type === 'completion-failed') {
    Object.assign(memberOf(layer, event.failure.index), failed(event.failure))
  } else takeDelta(memberOf(layer, event.index), event)
}

/** When a member began to think, in milliseconds of the page's clock. */
const thinkingSince = new WeakMap<Member, number>()

type Delta = Extract<AftEvent, { index: number }>

function takeDelta(member: Member, event: Delta): void {
  member.note = describeNote(event)
  const isNote = event.type === 'completion-waiting' || event.type === 'request-changed'
  member.state = isNote ? 'waiting' : 'writing'
  if (event.type === 'completion-delta') {
    const since = thinkingSince.get(member)
    if (since !== undefined) member.thoughtMs ??= performance.now() - since
    member.text += event.text
  } else if (event.type === 'reasoning-delta') {
    if (!thinkingSince.has(member)) thinkingSince.set(member, performance.now())
    member.reasoning += event.text
  }
  if (event.type === 'completion-restarted') [member.text, member.reasoning] = ['', '']
}

function takeResult(
  run: RunView,
  { answer, finishReason, from, degradedBecause = [], usage, ms, plan, layers }: Result,
) {
  run.layers = layers.map((layer, i) => {
    const before = run.layers[i]
    const view = viewLayer(layer, i === layers.length - 1)
    for (const member of view.members) {
      const thoughtMs = before?.members.find((m) => m.index === member.index)?.thoughtMs
      if (thoughtMs !== undefined) member.thoughtMs = thoughtMs
    }
    return { ...view, ...(before?.shown && { shown: before.shown }) }
  })
  Object.assign(run, { state: 'done', answer, from, degradedBecause, usage, ms })
  run.isCut = finishReason === 'length'
  run.seed = plan.seed
  run.strategy = plan.strategy
  run.template = plan.template
}

/** Makes the view of a finished layer. */
export function viewLayer(
  { completions, failures }: { completions: Completion[]; failures: Failure[] },
  isLast: boolean,
): LayerView {
  const has = new Set(completions.map((c) => c.index))
  const best = [...Map.groupBy(completions, (c) => c.index).values()].flatMap(
    (twins) => twins.find((c) => !c.excluded) ?? twins[0] ?? [],
  )
  const members = [
    ...best.map((c) => ({ ...newMember(c.index), ...finished(c) })),
    ...failures.filter((f) => !has.has(f.index)).map((f) => ({ ...newMember(f.index), ...failed(f) })),
  ]
  return { isLast, members: members.sort((a, b) => a.index - b.index) }
}

function newMember(index: number): Member {
  return { index, state: 'waiting', text: '', reasoning: '' }
}

function memberOf(layer: LayerView, index: number): Member {
  layer.members[index] ??= newMember(index)
  return layer.members[index]
}

function finished(c: Completion): Partial<Member> {
  return {
    state: 'done',
    engine: c.engine,
    text: c.text,
    reasoning: c.reasoning ?? '',
    tokens: c.usage.outputTokens,
    ms: c.ms,
    cost: c.usage.cost,
    excluded: c.excluded,
    isCut: c.finishReason === 'length',
    saw: c.saw,
    trimmedTo: c.trimmedTo,
    error: undefined,
    note: undefined,
    waited: c.waited,
  }
}

function failed({ engine, error, ms, usage, waited }: Failure): Partial<Member> {
  return {
    state: 'failed',
    engine,
    ms,
    error: `${error.kind}: ${error.message}`,
    tokens: usage?.outputTokens,
    note: undefined,
    waited,
  }
}

/** Returns the last layer's only member: it writes the answer, so it is not shown among the proposals. */
export function answerOf(run: RunView): Member | undefined {
  const last = run.layers.at(-1)
  return last?.isLast && last.members.length === 1 ? last.members[0] : undefined
}

/** The proposals that were shown to the next layer, or will be. */
export function proposalsOf({ layers: [first] }: RunView): Member[] {
  return (first?.members ?? []).filter((m) => m.state === 'done' && m.text !== '' && !m.excluded)
}

/** True if there is an answer, or if its writer has begun to think or to write. */
export function hasAnswerBegun(run: RunView): boolean {
  const author = answerOf(run)
  return run.answer !== undefined || Boolean(author?.text || author?.reasoning)
}

/** Ends a run early. The text of the answer so far stays. */
export function stopRun(run: RunView, state: 'failed' | 'stopped', error?: string): void {
  run.state = state
  run.error = error
  const partial = answerOf(run)?.text
  if (partial) {
    run.answer = partial
    run.from = { layer: run.layers.length - 1, index: 0 }
  }
}

/** What a question says: a text, or parts with what is attached. */
export type Content = NonNullable<Message['content']>

/** Makes the messages of a new question: the conversation so far, then the question. */
export function messagesFor(turns: Turn[], question: Content, system: string): Message[] {
  const past = turns.flatMap((turn): Message[] =>
    turn.run.answer
      ? [
          { role: 'user', content: contentOf(turn) },
          { role: 'assistant', content: turn.run.answer },
        ]
      : [],
  )
  const head: Message[] = system.trim() ? [{ role: 'system', content: system }] : []
  return [...head, ...past, { role: 'user', content: question }]
}

/** Returns the question of a turn as it was sent, with what is attached. */
export function contentOf({ messages, question }: Turn): Content {
  return messages.findLast((m) => m.role === 'user')?.content ?? question
}

/** Returns the text of the last user message. */
export function questionOf(messages: Message[]): string {
  return textOf(messages.findLast((m) => m.role === 'user') ?? { role: 'user' })
}
