/** Samples a group of a layer: one request to its engine; what fails there is asked of the engines that follow. */

import { type Fitting, fitProposals } from './fit.ts'
import type { Group, Member } from './group.ts'
import type { LayerRun } from './host.ts'
import type { Voice } from './plan.ts'
import { findUnusable } from './proposals.ts'
import type { CompletionEnd, CompletionRequest, Engine, Usage } from './provider/engine.ts'
import { describeError, EngineError, UsageError } from './provider/errors.ts'
import type { QuorumWatch } from './quorum.ts'
import type { Completion, Failure, LayerResult } from './result.ts'
import { groupKey } from './seeds.ts'

/** Puts what comes, and what does not, into `result`. Of an engine's errors only a `UsageError` is thrown. */
export async function sampleGroup(
  run: LayerRun,
  group: Group,
  result: LayerResult,
  quorum: QuorumWatch,
): Promise<void> {
  const voice = run.layer.voices[group.voice] as Voice
  const engines = [voice.engine, ...(voice.fallbacks ?? [])]
  let { members } = group
  for (const [attempt, name] of engines.entries()) {
    if (attempt > 0) announceRestart(run, members, `falls back to ${name}`)
    const engine = run.host.engines[name] as Engine
    const fitting = fitProposals(run, group, engine, voice.sampling.maxTokens)
    const startMs = run.host.clock.now()
    const failed = await callEngine(
      { run, group, voice, name, engine, fitting, startMs, result, quorum },
      members,
    )
    members = failed.map(({ member }) => member)
    if (members.length === 0 || quorum.signal.aborted) return
  }
}

/** One engine at one group. */
interface Call {
  run: LayerRun
  group: Group
  voice: Voice
  /** Of the engine, as the plan has it. */
  name: string
  engine: Engine
  fitting: Fitting
  startMs: number
  result: LayerResult
  quorum: QuorumWatch
}

interface Failed {
  member: Member
  error: unknown
  usage?: Usage
}

const MAX_TRIMS = 4

/** Returns what failed in the end: a prompt that the engine finds too long is trimmed and sent again. */
async function callEngine(call: Call, members: Member[]): Promise<Failed[]> {
  let failed = await sendRequest(call, members)
  for (let trims = 0; trims < MAX_TRIMS && !call.quorum.signal.aborted; trims++) {
    const overflow = failed.map((f) => f.error).find(isOverflow)
    if (!overflow || !(await call.fitting.shrink(overflow))) break
    members = failed.map(({ member }) => member)
    announceRestart(call.run, members, 'the proposals were too long and are trimmed')
    failed = await sendRequest(call, members)
  }
  for (const { member, error, usage } of failed) {
    const failure = toFailure(call, member, error, usage)
    call.result.failures.push(failure)
    call.run.host.emit?.({ type: 'completion-failed', layer: call.run.depth, failure })
  }
  return failed
}

function isOverflow(error: unknown): error is EngineError {
  return error instanceof EngineError && error.kind === 'context-overflow'
}

/** Completions go to the result; the rest is returned. */
async function sendRequest(call: Call, members: Member[]): Promise<Failed[]> {
  const { run, engine, quorum } = call
  const open = new Map(members.entries())
  const failed: Failed[] = []
  try {
    quorum.signal.throwIfAborted()
    for await (const event of engine.generate(await makeRequest(call, members))) {
      const member = open.get(event.index)
      if (!member) continue
      if (event.type === 'completion-end') addCompletion(call, member, event)
      else if (event.type === 'completion-failed')
        failed.push({ member, error: event.error, usage: event.usage })
      else run.host.emit?.({ ...event, layer: run.depth, index: member.index })
      if (event.type === 'completion-end' || event.type === 'completion-failed') open.delete(event.index)
    }
    if (open.size === 0) return failed
    const error = new EngineError(engine.id, 'missing', 'the engine ended without this completion')
    return [...failed, ...[...open.values()].map((member) => ({ member, error }))]
  } catch (error) {
    if (error instanceof UsageError) throw error
    return [...failed, ...[...open.values()].map((member) => ({ member, error }))]
  }
}

async function makeRequest(
  { run, group, voice, fitting, quorum }: Call,
  members: Member[],
): Promise<CompletionRequest> {
  const { prompt, plan, host, layer, depth } = run
  const { stop, tools, toolChoice, responseFormat, logprobs } = prompt
  const isLast = depth === plan.layers.length - 1
  return {
    key: groupKey(depth, group.voice),
    messages: await fitting.write(),
    n: members.length,
    seeds: members.map((m) => m.seed),
    sampling: voice.sampling,
    ...(stop && depth < plan.layers.length && { stop }),
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
  call.result.completions.push(completion)
  run.host.emit?.({ type: 'completion-end', layer: run.depth, completion })
  call.quorum.check()
}

/** The last layer is shown to no aggregator: only emptiness counts there. */
function whyExcluded({ plan, depth }: LayerRun, { text, toolCalls }: CompletionEnd): Completion['excluded'] {
  const reason = toolCalls?.length ? undefined : findUnusable(text)
  return reason === 'empty' || depth < plan.layers.length - 1 ? reason : undefined
}

function toFailure(call: Call, member: Member, error: unknown, usage: Usage | undefined): Failure {
  const isStraggler = call.quorum.signal.aborted && call.quorum.signal.reason === 'straggler'
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
