/** Answers one prompt: runs the core with the machine's clock. */
import type { Prompt } from '../core/plan.ts'
import type { Engine, Message } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import type { Template } from '../core/provider/template.ts'
import type { AftEvent, Result } from '../core/result.ts'
import { checkEngines, givenEngines } from '../engines/given-engines.ts'
import { describeWrong } from '../files/file-errors.ts'
import { readMessages } from '../files/messages.ts'
import { createChannel } from '../lib/channel.ts'
import { limitsOf, makePlan, type PlanOptions } from '../plans/strategies.ts'
import { templateOf, templateOptions, wordingsOf } from '../plans/wording.ts'
import { answerInForm } from './form/answer.ts'
import { makeHost } from './host.ts'

/** How to answer. Give one `engine` for all roles, or `engines` by name and the names that propose and aggregate. */
export interface AnswerOptions extends Omit<PlanOptions, 'proposers' | 'template' | 'engineTemplates'> {
  engine?: Engine
  engines?: Record<string, Engine>
  /** Names in `engines`, alone or with settings. Default: all of them. */
  proposers?: PlanOptions['proposers']
  /** Default: the one that the model of the last layer was trained with, then `defaultTemplate`. */
  template?: Template
  signal?: AbortSignal
  onEvent?: (event: AftEvent) => void
}

/**
 * Samples proposals for a prompt and has them aggregated into one answer.
 * @param prompt a question, a conversation, or a prompt with tools, stop strings or a response format
 * @throws UsageError for a wrong option, EngineError if no proposal came back, the signal's reason after an abort
 * @example
 * const engine = await openEngine('smollm2')
 * const { answer: text, usage } = await answer('Why is the sky blue?', { engine, width: 3 })
 */
export async function answer(
  prompt: string | Message[] | Omit<Prompt, 'id'>,
  options: AnswerOptions,
): Promise<Result> {
  const engines = givenEngines(options, ({ id }) => id ?? 'engine')
  checkEngines(engines)
  const { engine, engines: _, template: given, signal, onEvent, ...planOptions } = options
  const wordings = wordingsOf(engines, given)
  const plan = makePlan({
    ...planOptions,
    proposers: options.proposers ?? Object.keys(engines),
    ...templateOptions(wordings),
    engineMaxTokens: limitsOf(engines),
  })
  const asked = await withSchema(toPrompt(prompt), options.schema)
  const template = templateOf(plan, wordings)
  return answerInForm(asked, plan, makeHost({ engines, template, emit: onEvent, signal }))
}

/**
 * Answers like `answer`, and yields every event as it happens. The last event has the type `answer` and the result.
 * @throws what `answer` throws, after the events before it
 * @example
 * for await (const event of streamAnswer('Why is the sky blue?', { engine })) {
 *   if (event.type === 'completion-end') console.log(event.layer, event.completion.text)
 * }
 */
export async function* streamAnswer(
  prompt: string | Message[] | Omit<Prompt, 'id'>,
  options: AnswerOptions,
): AsyncGenerator<AftEvent, Result> {
  const left = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal
  const events = createChannel<AftEvent>()
  const done = answer(prompt, { ...options, signal, onEvent: events.push }).finally(() => events.end())
  done.catch(() => {}) // the caller gets the error below, after the events
  try {
    yield* events
    return await done
  } finally {
    left.abort()
  }
}

/** The schema holds if the prompt has no format of its own. */
async function withSchema(prompt: Prompt, schema: AnswerOptions['schema']): Promise<Prompt> {
  if (schema === undefined || prompt.responseFormat) return prompt
  const { readFormat } = await import('../files/schema-file.ts')
  return { ...prompt, responseFormat: await readFormat(schema) }
}

function toPrompt(given: string | Message[] | Omit<Prompt, 'id'>): Prompt {
  const wrong = (expected: string, got: unknown) => new UsageError(describeWrong(expected, got))
  if (typeof given === 'string') {
    if (given.trim() === '') throw wrong('a prompt', given)
    return { id: '0', messages: [{ role: 'user', content: given }] }
  }
  const prompt = Array.isArray(given) ? { messages: given } : given
  readMessages(prompt?.messages, 'messages', wrong)
  return { ...prompt, id: '0' }
}
