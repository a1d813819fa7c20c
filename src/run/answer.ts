/** One prompt, answered: the core with the machine's clock. */
import { answerPrompt } from '../core/aft.ts'
import type { Prompt } from '../core/plan.ts'
import type { Engine, Message } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import type { AftEvent, Result } from '../core/result.ts'
import { defaultTemplate, type Template } from '../core/templates.ts'
import { limitsOf, makePlan, type PlanOptions } from '../plans/strategies.ts'
import { makeHost } from './host.ts'

/** How to answer. Give one `engine` for all roles, or `engines` by name and the names that propose and aggregate. */
export interface AnswerOptions extends Omit<PlanOptions, 'proposers' | 'template'> {
  engine?: Engine
  engines?: Record<string, Engine>
  /** Names in `engines`. Default: all of them. */
  proposers?: string[]
  template?: Template
  signal?: AbortSignal
  onEvent?: (event: AftEvent) => void
}

/**
 * Samples proposals for a prompt and has them aggregated into one answer.
 * @param prompt a question, a conversation, or a prompt with tools, stop strings or a response format
 * @throws UsageError for a wrong option, EngineError when no proposal came back, the signal's reason when aborted
 */
export async function answer(
  prompt: string | Message[] | Omit<Prompt, 'id'>,
  options: AnswerOptions,
): Promise<Result> {
  const { engine, engines: named, template = defaultTemplate, signal, onEvent, ...planOptions } = options
  const engines = named ?? (engine ? { [engine.id]: engine } : {})
  if (Object.keys(engines).length === 0) throw new UsageError('expected `engine` or `engines`, got neither')
  const plan = makePlan({
    ...planOptions,
    proposers: options.proposers ?? Object.keys(engines),
    template: template.id,
    engineMaxTokens: limitsOf(engines),
  })
  return answerPrompt(toPrompt(prompt), plan, makeHost({ engines, template, emit: onEvent, signal }))
}

/** As `answer`, but yields every event as it happens; the last is `answer` with the whole result. */
export async function* streamAnswer(
  prompt: string | Message[] | Omit<Prompt, 'id'>,
  options: AnswerOptions,
): AsyncGenerator<AftEvent, Result> {
  const leave = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal
  const events: AftEvent[] = []
  let wake = () => {}
  const onEvent = (event: AftEvent) => {
    events.push(event)
    wake()
  }
  let isDone = false
  const done = answer(prompt, { ...options, signal, onEvent }).finally(() => {
    isDone = true
    wake()
  })
  done.catch(() => {}) // thrown to the caller below, once the events before it were read
  try {
    for (;;) {
      while (events.length > 0) yield events.shift() as AftEvent
      if (isDone) return await done
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    leave.abort()
  }
}

function toPrompt(prompt: string | Message[] | Omit<Prompt, 'id'>): Prompt {
  if (typeof prompt === 'string') return { id: '0', messages: [{ role: 'user', content: prompt }] }
  return Array.isArray(prompt) ? { id: '0', messages: prompt } : { ...prompt, id: '0' }
}
