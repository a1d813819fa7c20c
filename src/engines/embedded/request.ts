/** A request as a job: one reader of the prompt, then its completions, and what they say as one stream. */
import type { CompletionRequest, EngineEvent } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { type Channel, createChannel } from '../../lib/channel.ts'
import { Completion } from './completion.ts'
import type { Task } from './sequence-pool.ts'
import type { NativeModel } from './native.ts'
import type { Job } from './scheduler.ts'

export interface RequestContext {
  engine: string
  model: NativeModel
  isRaw: boolean
  grammar?: () => unknown
}

/** The job of a request whose prompt was checked to fit. `fail` ends what is still open. */
export function startRequest(request: CompletionRequest, prompt: number[], context: RequestContext) {
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
  const going = new Set<Completion>()
  const onEnd = (completion: Completion) => {
    going.delete(completion)
    open.delete(completion)
    if (going.size === 0) events.end()
  }
  const emit = (event: EngineEvent) => events.push(event)
  const shared = { ...context, request, prompt, emit, onEnd, prefilled: () => reader.evaluated }
  for (let index = 0; index < request.n; index++) going.add(new Completion(shared, index))

  reader.onLogits = async (native, rows) => {
    const row = rows.at(-1) as number
    await Promise.all([...going].map((completion) => completion.sample(native, row)))
    open.delete(reader)
    for (const completion of going) open.add(completion)
    job.waiting.push(...going)
  }
  const fail = ({ kind, message, cause }: EngineError) => {
    for (const completion of [...going]) completion.fail(kind, message, cause)
  }
  return { job, events, fail }
}

function readPrompt(tokens: number[]): Task {
  const { length } = tokens
  return { tokens, promptLength: length, logitsFrom: length - 1, evaluated: 0, onLogits: async () => {} }
}

/** Any error of the machine as the engine's own: one that was not its own says `server`. */
export function asEngineError(engine: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new EngineError(engine, 'server', message, { cause: error, isRetryable: false })
}
