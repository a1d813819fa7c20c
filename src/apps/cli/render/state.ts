/** Keeps the state of a running prompt for the terminal: its layers and their members. */
import type { Plan } from '../../../core/plan.ts'
import type { Completion, Failure } from '../../../core/provider/records.ts'
import type { AftEvent } from '../../../core/result.ts'

/** One completion of a layer. */
export interface MemberView {
  index: number
  engine: string
  status: 'waiting' | 'thinking' | 'writing' | 'done' | 'failed' | 'stopped'
  text: string
  /** Number of pieces streamed so far. At the end, the completion's own token count. */
  tokens: number
  completion?: Completion
  /** The reason for a failure or a new start. */
  note?: string
  /** When a failed attempt is repeated. */
  untilMs?: number
}

/** One layer. */
export interface LayerView {
  layer: number
  title: string
  isLast: boolean
  members: MemberView[]
  failures: Failure[]
  startMs: number
  /** Absent while the layer runs. */
  endMs?: number
  /** When the layer stops waiting for its stragglers. */
  graceEndMs?: number
}

/** Says whether the layer's only text is the answer. Then the answer is shown while it streams. */
export function isAnswerLayer({ isLast, members }: LayerView): boolean {
  return isLast && members.length === 1
}

/** Says whether a member may still write. */
export function isOpen({ status }: MemberView): boolean {
  return status === 'waiting' || status === 'thinking' || status === 'writing'
}

/** Starts the view of a layer. */
export function startLayer(
  plan: Plan,
  event: Extract<AftEvent, { type: 'layer-start' }>,
  nowMs: number,
): LayerView {
  const judge = typeof plan.choose === 'object' ? [{ n: 1, engine: plan.choose.judge }] : []
  const voices = plan.layers[event.layer]?.voices ?? judge
  const engines = voices.flatMap(({ n, engine }) => Array<string>(n).fill(engine))
  const members = Array.from({ length: event.width }, (_, index): MemberView => {
    return { index, engine: engines[index] ?? '', status: 'waiting', text: '', tokens: 0 }
  })
  const { layer, isLast } = event
  return { layer, title: titleOf(plan, event), isLast, members, failures: [], startMs: nowMs }
}

/** Applies an event to the layer. Events of other layers are ignored. */
export function applyEvent(view: LayerView, event: AftEvent, nowMs: number): void {
  if (event.type === 'answer' || event.type === 'layer-start' || event.layer !== view.layer) return
  if (event.type === 'layer-waiting') view.graceEndMs = nowMs + event.ms
  if (event.type === 'layer-end') view.endMs = nowMs
  if (event.type === 'layer-end' || event.type === 'layer-waiting') return
  const index = memberOf(event)
  const member = view.members[index]
  if (!member) return
  if (event.type === 'completion-delta') add(member, 'writing', event.text)
  else if (event.type === 'reasoning-delta') add(member, 'thinking', event.text)
  else if (event.type === 'completion-restarted')
    Object.assign(member, { status: 'waiting', text: '', tokens: 0, note: event.reason })
  else if (event.type === 'completion-waiting')
    Object.assign(member, { status: 'waiting', note: event.kind, untilMs: nowMs + event.ms })
  else if (event.type === 'completion-end' || event.type === 'completion-usage') {
    const { completion } = event
    const { text, engine, usage } = completion
    Object.assign(member, { status: 'done', text, engine, tokens: usage.outputTokens, completion })
  } else if (event.type === 'completion-failed') {
    const { kind, message } = event.failure.error
    // What a stopped member has written stays.
    if (kind === 'aborted') return void Object.assign(member, { status: 'stopped', untilMs: undefined })
    Object.assign(member, { status: 'failed', note: kind, text: message })
    view.failures.push(event.failure)
  }
}

type OfMember = Exclude<AftEvent, { type: 'answer' | 'layer-start' | 'layer-end' | 'layer-waiting' }>

function memberOf(event: OfMember): number {
  if ('completion' in event) return event.completion.index
  return event.type === 'completion-failed' ? event.failure.index : event.index
}

/** Appends a piece. The first piece of text replaces the reasoning. */
function add(member: MemberView, status: 'writing' | 'thinking', text: string): void {
  if (member.status !== status) member.text = ''
  member.status = status
  member.untilMs = undefined
  member.text += text
  member.tokens++
}

function titleOf(plan: Plan, { layer, width, isLast }: Extract<AftEvent, { type: 'layer-start' }>): string {
  if (layer === plan.layers.length) return 'judge'
  if (isLast && width === 1) return 'answer'
  return plan.layers[layer]?.see === 'nothing' ? 'proposals' : 'aggregations'
}
