/** Samples a group: one request to its engine. What fails there is asked of the engines that follow. */
import { type Fitting, fitProposals } from './fit.ts'
import type { Group, Member } from './group.ts'
import type { LayerRun } from './host.ts'
import type { Voice } from './plan.ts'
import { findUnusable } from './proposals.ts'
import type { CompletionEnd, CompletionRequest, Engine, Usage } from './provider/engine.ts'
import { describeError, EngineError, UsageError } from './provider/errors.ts'
import type { Completion, Failure } from './result.ts'
import { groupKey, seedAgain } from './seeds.ts'

/**
 * Puts what comes, and what does not, into the result of the run. An answer that repeats itself is sampled once more.
 * @throws UsageError if an engine throws one; its other errors are failures
 */
export async function sampleGroup(run: LayerRun, group: Group): Promise<void> {
  await sampleMembers(run, group)
  const members = listRunaways(run, group).map(({ index, seed }) => ({ index, seed: seedAgain(seed) }))
  if (members.length === 0 || run.quorum.signal.aborted) return
  announceRestart(run, members, 'the answer repeats itself and is sampled again')
  await sampleMembers(run, { ...group, members })
}

/** Members whose answer repeats itself, and which another seed may help. What a reader has seen stands. */
function listRunaways({ plan, host, layer, isLast, result }: LayerRun, group: Group): Member[] {
  const { sampling } = layer.voices[group.voice] as Voice
  if (!isLast || plan.choose !== 'last' || sampling.temperature === 0) return []
  const runaways = result.completions.filter((c) => c.excluded === 'runaway').map((c) => c.index)
  return group.members.filter(({ index }) => runaways.includes(index) && !host.isSent?.(index))
}

async function sampleMembers(run: LayerRun, group: Group): Promise<void> {
  const { engine: first, fallbacks = [], sampling } = run.layer.voices[group.voice] as Voice
  let { members } = group
  for (const [attempt, name] of [first, ...fallbacks].entries()) {
    if (attempt > 0) announceRestart(run, members, `falls back to ${name}`)
    const engine = run.host.engines[name] as Engine
    const fitting = fitProposals(run, group, engine, sampling.maxTokens)
    const startMs = run.host.clock.now()
    const failed = await callEngine({ run, group, name, engine, fitting, startMs }, members)
    members = failed.map(({ member }) => member)
    if (members.length === 0 || run.quorum.signal.aborted) return
  }
}

/** One engine at one group. */
interface Call {
  run: LayerRun
  group: Group
  /** Of the engine, as the plan has it. */
  name: string
  engine: Engine
  fitting: Fitting
  startMs: number
}

interface Failed {
  member: Member
  error: unknown
  usage?: Usage
}

const MAX_TRIMS = 4

/** Returns what failed in the end: a prompt that the engine finds too long is trimmed and sent again. */
async function callEngine(call: Call, members: Member[]): Promise<Failed[]> {
  const { host, quorum, result, depth } = call.run
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
    host.emit?.({ type: 'completion-failed', layer: depth, failure })
  }
  return failed
}

function isOverflow(error: unknown): error is EngineError {
  return error instanceof EngineError && error.kind === 'context-overflow'
}

/** Completions go to the result; the rest is returned. */
async function sendRequest(call: Call, members: Member[]): Promise<Failed[]> {
  const { run, engine } = call
  const open = new Map(members.entries())
  const failed: Failed[] = []
  const failOpen = (error: unknown) => [...failed, ...[...open.values()].map((member) => ({ member, error }))]
  try {
    run.quorum.signal.throwIfAborted()
    for await (const event of engine.generate(await makeRequest(call, members))) {
      const member = open.get(event.index)
      if (!member) continue
      if (event.type === 'completion-end') addCompletion(call, member, event)
      else if (event.type === 'completion-failed')
        failed.push({ member, error: event.error, usage: event.usage })
      else run.host.emit?.({ ...event, layer: run.depth, index: member.index })
      if (event.type === 'completion-end' || event.type === 'completion-failed') open.delete(event.index)
    }
    return failOpen(new EngineError(engine.id, 'missing', 'the engine ended without this completion'))
  } catch (error) {
    if (error instanceof UsageError) throw error
    return failOpen(error)
  }
}

/** Only the last layer is given what belongs to the answer: proposers write text and call nothing. */
async function makeRequest({ run, group, fitting }: Call, members: Member[]): Promise<CompletionRequest> {
  const { prompt, host, layer, depth, isLast, quorum } = run
  const { stop, tools, toolChoice, responseFormat, logprobs } = prompt
  return {
    key: groupKey(depth, group.voice),
    messages: await fitting.write(),
    n: members.length,
    seeds: members.map((m) => m.seed),
    sampling: (layer.voices[group.voice] as Voice).sampling,
    ...(stop && { stop }),
    ...(isLast && tools && { tools }),
    ...(isLast && toolChoice && { toolChoice }),
    ...(isLast && responseFormat && { responseFormat }),
    ...(isLast && logprobs !== undefined && { logprobs }),
    ...(host.priority && { priority: host.priority(depth) }),
    ...(layer.quorum && { endsEarly: true }),
    signal: quorum.signal,
  }
}

function addCompletion(call: Call, member: Member, event: CompletionEnd): void {
  const { run, group, fitting } = call
  const { type, index, ms, ...content } = event
  const excluded = whyExcluded(run, event)
  const completion: Completion = {
    ...placeOf(call, member),
    ...content,
    ms: ms ?? elapsedMs(call),
    ...(group.saw.length > 0 && { saw: group.saw }),
    ...(fitting.limit !== undefined && { trimmedTo: fitting.limit }),
    ...(excluded && { excluded }),
  }
  run.result.completions.push(completion)
  run.host.emit?.({ type: 'completion-end', layer: run.depth, completion })
  run.quorum.check()
}

/** A form that was asked for may well repeat itself. */
function whyExcluded({ prompt, isLast }: LayerRun, { text, toolCalls }: CompletionEnd) {
  const reason = toolCalls?.length ? undefined : findUnusable(text)
  const hasForm = isLast && prompt.responseFormat !== undefined && prompt.responseFormat.type !== 'text'
  return reason === 'runaway' && hasForm ? undefined : reason
}

function toFailure(call: Call, { member, error, usage }: Failed): Failure {
  const { signal } = call.run.quorum
  const isStraggler = signal.aborted && signal.reason === 'straggler'
  const message = 'cut: the layer had its quorum, or had reached its cap'
  return {
    ...placeOf(call, member),
    error: isStraggler ? { kind: 'straggler', message } : describeError(error),
    ...(usage && { usage }),
    ms: elapsedMs(call),
  }
}

function placeOf({ group, name }: Call, { index, seed }: Member) {
  return { index, voice: group.voice, engine: name, seed }
}

function elapsedMs({ run, startMs }: Call): number {
  return Math.round(run.host.clock.now() - startMs)
}

function announceRestart({ host, depth }: LayerRun, members: Member[], reason: string): void {
  for (const { index } of members) {
    host.emit?.({ type: 'completion-restarted', layer: depth, index, reason })
  }
}
