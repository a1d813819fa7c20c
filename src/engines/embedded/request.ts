/** A request as a job: one task reads the prompt, then its completions follow; all events are one stream. */
import type { EngineEvent } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { type Channel, createChannel } from '../../lib/channel.ts'
import { Completion, type LimitedRequest } from './completion.ts'
import type { NativeModel } from './native.ts'
import type { Job } from './scheduler.ts'
import type { Task } from './sequence-pool.ts'

/** What requests of one engine share. */
export interface RequestContext {
  engine: string
  model: NativeModel
  isRaw: boolean
  grammar?: () => unknown
}

/** Makes the job of a request whose prompt fits. `fail` ends the completions that are still open. */
export function startRequest(request: LimitedRequest, prompt: number[], context: RequestContext) {
  const events: Channel<EngineEvent> = createChannel()
  const reader = readPrompt(prompt)
  const open = new Set<Task>([reader])
  const job: Job = {
    reader,
    width: request.n,
    length: prompt.length + request.sampling.maxTokens,
    priority: request.priority ?? 0,
    waiting: [],
    open,
    onFailure: (error) => fail(asEngineError(context.engine, error)),
  }
  const unfinished = new Set<Completion>()
  const onEnd = (completion: Completion) => {
    unfinished.delete(completion)
    open.delete(completion)
    if (unfinished.size === 0) events.end()
  }
  const emit = (event: EngineEvent) => events.push(event)
  const shared = { ...context, request, prompt, emit, onEnd, prefilled: () => reader.evaluated }
  for (let index = 0; index < request.n; index++) unfinished.add(new Completion(shared, index))

  reader.onLogits = async (native, rows) => {
    const row = rows.at(-1) as number
    await Promise.all([...unfinished].map((completion) => completion.sample(native, row)))
    open.delete(reader)
    for (const completion of unfinished) open.add(completion)
    job.waiting.push(...unfinished)
  }
  const fail = ({ kind, message, cause }: EngineError) => {
    for (const completion of [...unfinished]) completion.fail(kind, message, cause)
  }
  return { job, events, fail }
}

function readPrompt(tokens: number[]): Task {
  const { length } = tokens
  return { tokens, promptLength: length, logitsFrom: length - 1, evaluated: 0, onLogits: async () => {} }
}

/** Any error as an EngineError; an unknown one has the kind `server`. */
export function asEngineError(engine: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new EngineError(engine, 'server', message, { cause: error, isRetryable: false })
}
