/** Samples a group with one request to its engine. For members that fail, it asks the fallback engines, in turn. */
import { type Fitting, fitProposals } from './fit.ts'
import type { Group, Member } from './group.ts'
import type { LayerRun } from './host.ts'
import { listAsked, type Voice } from './plan.ts'
import { findUnusable } from './proposals.ts'
import type {
  CompletionEnd,
  CompletionRequest,
  Engine,
  EngineEvent,
  Sampling,
  Usage,
} from './provider/engine.ts'
import { describeError, EngineError, UsageError } from './provider/errors.ts'
import type { Completion, Failure, Waited } from './provider/records.ts'
import { seedAgain, voiceKey } from './seeds.ts'

/**
 * Adds the group's completions and failures to `run.result`. An answer that repeats itself is sampled once more.
 * @throws UsageError if an engine throws one; its other errors become failures
 */
export async function sampleGroup(run: LayerRun, group: Group): Promise<void> {
  await sampleMembers(run, group)
  const members = listRunaways(run, group).map(({ index, seed }) => ({ index, seed: seedAgain(seed) }))
  if (members.length === 0 || run.quorum.signal.aborted) return
  announceRestart(run, members, 'the answer repeats itself and is sampled again')
  await sampleMembers(run, { ...group, members })
}

/**
 * Members to sample once more: their answer repeats itself, another seed may help, and the client has received nothing
 * of it yet.
 */
function listRunaways({ plan, host, layer, isLast, result }: LayerRun, group: Group): Member[] {
  const { sampling } = layer.voices[group.voice] as Voice
  if (!isLast || plan.choose !== 'last' || sampling.temperature === 0) return []
  const runaways = result.completions.filter((c) => c.excluded === 'runaway').map((c) => c.index)
  return group.members.filter(({ index }) => runaways.includes(index) && !host.isSent?.(index))
}

/** Asks the engine of the group, then its fallbacks, until no member is left. */
async function sampleMembers(run: LayerRun, group: Group): Promise<void> {
  const asked = listAsked(run.layer.voices[group.voice] as Voice)
  const before: Call['before'] = new Map()
  let { members } = group
  for (const { engine: name, sampling } of asked) {
    if (before.size > 0) announceRestart(run, members, `falls back to ${name}`)
    const engine = run.host.engines[name] as Engine
    const fitting = fitProposals(run, group, engine, sampling.maxTokens)
    const startMs = run.host.clock.now()
    const shared = { run, group, name, engine, sampling, fitting, startMs, before }
    const failed = await callEngine({ ...shared, waited: new Map() }, members)
    members = failed.map(({ member }) => member)
    if (members.length === 0 || run.quorum.signal.aborted) return
    for (const { member, error } of failed)
      before.set(member.index, { from: name, because: describeError(error).kind })
  }
}

/** What the requests of one group to one engine share. */
interface Call {
  run: LayerRun
  group: Group
  /** The engine's name in the plan. */
  name: string
  engine: Engine
  sampling: Sampling
  fitting: Fitting
  startMs: number
  /** Which engine failed before, by the index of the member. */
  before: Map<number, { from: string; because: string }>
  /** By the index of the member. */
  waited: Map<number, Waited>
}

interface Failed {
  member: Member
  error: unknown
  usage?: Usage
}

const MAX_TRIMS = 4

/** Returns the members that failed. If the engine finds the prompt too long, the proposals are trimmed and sent again. */
async function callEngine(call: Call, members: Member[]): Promise<Failed[]> {
  const { host, quorum, result, layerIndex } = call.run
  let failed = await sendRequest(call, members)
  for (let trims = 0; trims < MAX_TRIMS && !quorum.signal.aborted; trims++) {
    const overflow = failed.map((f) => f.error).find(isOverflow)
    if (!overflow || !(await call.fitting.shrink(overflow))) break
    const again = failed.map(({ member }) => member)
    announceRestart(call.run, again, 'the proposals were too long and are trimmed')
    failed = await sendRequest(call, again)
  }
  for (const each of failed) {
    const failure = toFailure(call, each)
    result.failures.push(failure)
    host.emit?.({ type: 'completion-failed', layer: layerIndex, failure })
  }
  return failed
}

function isOverflow(error: unknown): error is EngineError {
  return error instanceof EngineError && error.kind === 'context-overflow'
}

/** Sends one request. Completions are added to the result; the members that failed are returned. */
async function sendRequest(call: Call, members: Member[]): Promise<Failed[]> {
  const { run, engine } = call
  /** Members that have not ended, by their index in the request. (`member.index` is the index in the layer.) */
  const open = new Map(members.entries())
  const made = new Map<number, Completion>()
  const failed: Failed[] = []
  /** All failures, with this error for each member that has not ended. */
  const failOpen = (error: unknown) => [...failed, ...[...open.values()].map((member) => ({ member, error }))]
  try {
    run.quorum.signal.throwIfAborted()
    for await (const event of engine.generate(await makeRequest(call, members))) {
      const member = open.get(event.index)
      if (event.type === 'completion-usage') takeUsage(run, made.get(event.index), event)
      if (!member || event.type === 'completion-usage') continue
      if (event.type === 'completion-end') made.set(event.index, addCompletion(call, member, event))
      else if (event.type === 'completion-failed')
        failed.push({ member, error: event.error, usage: event.usage })
      else passOn(call, member, event)
      if (event.type === 'completion-end' || event.type === 'completion-failed') open.delete(event.index)
    }
    if (open.size === 0) return failed
    return failOpen(new EngineError(engine.id, 'missing', 'the engine ended without this completion'))
  } catch (error) {
    if (error instanceof UsageError) throw error
    return failOpen(error)
  }
}

type Passed = Exclude<EngineEvent, { type: 'completion-end' | 'completion-failed' | 'completion-usage' }>

/** Emits an event of the engine, and counts what a completion waits for. */
function passOn({ run, name: engine, waited }: Call, { index }: Member, event: Passed): void {
  const place = { layer: run.layerIndex, index }
  if (event.type === 'completion-waiting') {
    const { times, ms, because } = waited.get(index) ?? { times: 0, ms: 0, because: [] }
    const kinds = [...new Set([...because, event.kind])]
    waited.set(index, { times: times + 1, ms: ms + Math.round(event.ms), because: kinds })
  }
  const isNote = event.type === 'completion-waiting' || event.type === 'request-changed'
  run.host.emit?.(isNote ? { ...event, ...place, engine } : { ...event, ...place })
}

/** Tools and log probabilities are for the answer: only the last layer gets them. */
async function makeRequest(
  { run, group, sampling, fitting }: Call,
  members: Member[],
): Promise<CompletionRequest> {
  const { prompt, host, layer, layerIndex, isLast, quorum } = run
  const { stop, passed, tools, toolChoice, parallelToolCalls, logprobs } = prompt
  const responseFormat = formatOf(run)
  return {
    key: voiceKey(layerIndex, group.voice),
    messages: await fitting.write(),
    n: members.length,
    seeds: members.map((m) => m.seed),
    sampling,
    ...(stop && { stop }),
    ...(passed && { passed }),
    ...(isLast && tools && { tools }),
    ...(isLast && toolChoice && { toolChoice }),
    ...(isLast && parallelToolCalls !== undefined && { parallelToolCalls }),
    ...(responseFormat && { responseFormat }),
    ...(isLast && logprobs !== undefined && { logprobs }),
    ...(host.priority && { priority: host.priority(layerIndex) }),
    ...(run.plan.strict && { strict: true }),
    ...((layer.quorum || host.endsEarly) && { endsEarly: true }),
    ...((!host.emit || host.endsOnly?.(layerIndex)) && { endsOnly: true }),
    ...(host.maxWaitMs !== undefined && { maxWaitMs: host.maxWaitMs }),
    signal: quorum.signal,
  }
}

function addCompletion(call: Call, member: Member, event: CompletionEnd): Completion {
  const { run, group, fitting, before } = call
  const { type, index, ms, ...content } = event
  const excluded = whyExcluded(run, event)
  const fellBack = before.get(member.index)
  const waited = call.waited.get(member.index)
  const completion: Completion = {
    ...placeOf(call, member),
    ...content,
    ms: ms ?? elapsedMs(call),
    ...(group.saw.length > 0 && { saw: group.saw }),
    ...(fitting.limit !== undefined && { trimmedTo: fitting.limit }),
    ...(fellBack && { fellBack }),
    ...(waited && { waited }),
    ...(excluded && { excluded }),
  }
  run.result.completions.push(completion)
  run.host.emit?.({ type: 'completion-end', layer: run.layerIndex, completion })
  run.quorum.check()
  return completion
}

type UsageEvent = Extract<EngineEvent, { type: 'completion-usage' }>

function takeUsage(run: LayerRun, completion: Completion | undefined, { usage, end }: UsageEvent): void {
  if (!completion) return
  const absent = { warnings: undefined, form: undefined }
  Object.assign(completion, { usage }, end && { ...absent, excluded: whyExcluded(run, end), ...end })
  run.host.emit?.({ type: 'completion-usage', layer: run.layerIndex, completion, isNew: end && true })
}

/** With tools only the answer has the format. Proposals are prose: they cannot make the calls that the values come from. */
function formatOf({ prompt, isLast }: LayerRun) {
  const format = isLast || !prompt.tools?.length ? prompt.responseFormat : undefined
  return format?.type === 'text' ? undefined : format
}

/** JSON may repeat itself and still be right. */
function whyExcluded(run: LayerRun, { text, toolCalls }: Pick<CompletionEnd, 'text' | 'toolCalls'>) {
  const reason = toolCalls?.length ? undefined : findUnusable(text)
  return reason === 'runaway' && formatOf(run) ? undefined : reason
}

function toFailure(call: Call, { member, error, usage }: Failed): Failure {
  const { signal } = call.run.quorum
  const isStraggler = signal.aborted && signal.reason === 'straggler'
  const waited = call.waited.get(member.index)
  const message = 'cut: the layer reached its quorum or its time limit (cap) first'
  return {
    ...placeOf(call, member),
    error: isStraggler ? { kind: 'straggler', message } : describeError(error),
    ...(usage && { usage }),
    ...(waited && { waited }),
    ms: elapsedMs(call),
  }
}

function placeOf({ group, name }: Call, { index, seed }: Member) {
  return { index, voice: group.voice, engine: name, seed }
}

function elapsedMs({ run, startMs }: Call): number {
  return Math.round(run.host.clock.now() - startMs)
}

function announceRestart({ host, layerIndex }: LayerRun, members: Member[], reason: string): void {
  for (const { index } of members) {
    host.emit?.({ type: 'completion-restarted', layer: layerIndex, index, reason })
  }
}
