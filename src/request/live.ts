/** Runs a plan for a streaming client: the answer is sent while it is written, and nothing that was sent is changed. */
import { answerPrompt } from '../core/aft.ts'
import type { Host } from '../core/host.ts'
import { isJson, type ToolCallDelta } from '../core/provider/engine.ts'
import { EngineError } from '../core/provider/errors.ts'
import type { Completion } from '../core/provider/records.ts'
import type { AftEvent, Result } from '../core/result.ts'
import { answerInForm } from '../run/form/answer.ts'
import { makeHost } from '../run/host.ts'
import { listChoices, writingLayer } from './choices.ts'
import type { DraftStore } from './drafts.ts'
import { answerByFirstCall } from './first-call.ts'
import { type LoopRequest, openStep, type PanelNote } from './loop.ts'
import { createProposalView } from './proposal-view.ts'

/** What to answer, and how: read from a request and checked. */
export interface Ask extends LoopRequest {
  showProposals: boolean
  tools: ToolMode
  /** The name of the field with the schema of the answer, for errors. */
  formatParam?: string
  /** Which settings of the request were changed or ignored, in words. */
  warnings: string[]
}

/** Who may call tools: the last aggregator, only the bare engine (`bypass`), or the first proposer that does. */
export type ToolMode = 'aggregator' | 'bypass' | 'first-call'

/** Receives the pieces of an answer; choices count from 0. */
export interface Sink {
  content(choice: number, text: string): void
  reasoning(choice: number, text: string): void
  toolCall(choice: number, delta: ToolCallDelta): void
  /** Every event as it happens, before the pieces that come from it. */
  event?(event: AftEvent): void
  /** The client reads the answer from the events and drops what restarts. It then gets no pieces, and any layer may restart. */
  canForget?: boolean
}

/** An answer, and the whole run that led to it. */
export interface Answered {
  result: Result
  /** By the number of the choice. A choice that failed is absent. */
  choices: Map<number, Completion>
  /** What the panel did, if the request is a step of a loop of tool calls or may begin one. */
  panel?: PanelNote
}

/** What answers requests. */
export interface AnswerHost extends Pick<Host, 'engines' | 'template'> {
  signal: AbortSignal
  /** Keeps the drafts of a turn for its loop of tool calls. */
  drafts?: DraftStore
  /** Who asks: nobody gets the drafts of another. */
  client?: string
  /** Gets every event; deltas only if the sink needs them. */
  onEvent?: (event: AftEvent) => void
}

/** A client is told to come back if a server asks for a longer delay. */
const MAX_WAIT_MS = 60_000

/**
 * Answers, and sends each piece to the sink as it comes. Once a piece of a choice was sent, that choice cannot restart: if
 * it fails, the whole answer fails; if it repeats itself, it is kept. Without a sink nothing is sent before the end.
 * @throws EngineError, UsageError, or the signal's reason
 */
export async function answerLive(
  asked: Ask,
  { engines, template, signal, drafts, client = '', onEvent }: AnswerHost,
  sink?: Sink,
): Promise<Answered> {
  const step = openStep(asked, { store: drafts, client, template })
  const ask = step ? { ...asked, plan: step.plan } : asked
  const broken = new AbortController()
  const watch = sink?.canForget ? undefined : sink && watchLast(ask, sink, (error) => broken.abort(error))
  const emit = (event: AftEvent) => {
    onEvent?.(event)
    sink?.event?.(event)
    watch?.take(event)
  }
  const stop = AbortSignal.any([signal, broken.signal])
  const last = writingLayer(ask.plan)
  const seesAll = sink?.event !== undefined || (sink !== undefined && ask.showProposals)
  const endsOnly = (layer: number) => !sink || (!seesAll && layer !== last)
  const { recorded, recordedFor } = step ?? {}
  const made = { recorded, recordedFor, isSent: watch?.isSent, maxWaitMs: MAX_WAIT_MS }
  const host = makeHost({ engines, template, signal: stop, emit, endsOnly, ...made })
  const prompt = { id: '0', ...ask.prompt }
  const isFirstCall = ask.tools === 'first-call' && ask.prompt.tools !== undefined
  const answer = isFirstCall && !recorded ? answerByFirstCall : answerPrompt
  const run = (checked: Host) => answer(prompt, ask.plan, checked)
  const result = await answerInForm(prompt, ask.plan, host, { run, place: ask.formatParam })
  broken.signal.throwIfAborted()
  checkForm(ask, result)
  const choices = listChoices(result, ask.plan)
  for (const [choice, completion] of choices) watch?.finish(choice, completion)
  step?.keep(result)
  return { result, choices, panel: step?.note }
}

/** If the last layer failed, a proposal is the answer, but not one that is not in the form of the request. */
function checkForm({ prompt, plan }: Ask, { from, layers }: Result): void {
  const last = plan.layers.length - 1
  if (!isJson(prompt.responseFormat) || from.layer >= last) return
  const isInForm = layers[from.layer]?.completions.some((c) => c.index === from.index && !c.excluded)
  if (isInForm && !prompt.tools?.length) return
  const { error } = layers[last]?.failures[0] ?? {}
  const message = `no answer in the form of the request: ${error?.message ?? 'it came back empty'}`
  const { kind = 'missing', status, param, retryAfterMs } = error ?? {}
  throw new EngineError('aft', kind as EngineError['kind'], message, { status, param, retryAfterMs })
}

/** What was sent of a choice. */
interface Sent {
  text: string
  /** White space that was not sent yet, because the whole completion may be empty. */
  held: string
  reasoning: boolean
  tools: boolean
}

/** Sends the pieces of the last layer to the sink, by choice, and calls `fail` if a choice that was sent restarts. */
function watchLast({ plan, showProposals }: Ask, sink: Sink, fail: (error: Error) => void) {
  const last = writingLayer(plan)
  const view = createProposalView((text) => sink.reasoning(0, text))
  const sent = new Map<number, Sent>()
  const sentOf = (choice: number) => {
    const state = sent.get(choice) ?? { text: '', held: '', reasoning: false, tools: false }
    sent.set(choice, state)
    return state
  }
  const isStarted = ({ text, reasoning, tools }: Sent) => text !== '' || reasoning || tools

  const addText = (choice: number, text: string) => {
    const state = sentOf(choice)
    state.held += text
    if (state.text === '' && state.held.trim() === '') return
    sink.content(choice, state.held)
    state.text += state.held
    state.held = ''
  }
  const restart = (choice: number, reason: string) => {
    const state = sentOf(choice)
    state.held = ''
    if (isStarted(state)) fail(new EngineError('aft', 'server', `the answer broke off: ${reason}`))
  }
  const takeLast = (event: AftEvent) => {
    if (event.type === 'completion-delta') addText(event.index, event.text)
    else if (event.type === 'reasoning-delta') {
      sentOf(event.index).reasoning = true
      sink.reasoning(event.index, event.text)
    } else if (event.type === 'tool-call-delta') {
      sentOf(event.index).tools = true
      sink.toolCall(event.index, event.delta)
    } else if (event.type === 'completion-restarted') restart(event.index, event.reason)
    else if (event.type === 'completion-failed') restart(event.failure.index, event.failure.error.message)
  }
  return {
    isSent: (choice: number) => isStarted(sentOf(choice)),
    take: (event: AftEvent) => {
      if ('layer' in event && event.layer === last) takeLast(event)
      else if (showProposals) view.take(event)
    },
    /** Sends the rest of a choice. */
    finish: (choice: number, { text, reasoning, toolCalls }: Completion) => {
      const state = sentOf(choice)
      if (!state.reasoning && reasoning) sink.reasoning(choice, reasoning)
      if (!text.startsWith(state.text)) throw new EngineError('aft', 'server', 'the answer broke off')
      const rest = text.slice(state.text.length)
      if (rest) sink.content(choice, rest)
      if (state.tools) return
      for (const [position, { id, function: call }] of (toolCalls ?? []).entries()) {
        sink.toolCall(choice, { position, id, ...call })
      }
    },
  }
}
