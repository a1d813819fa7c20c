/** One completion's request as the options of a call, without what its model refused before. */
import type { CompletionRequest, Message } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { applyLessons, describeLeftOut, fromWire, type Lesson, toWire } from '../upstream/refusals.ts'
import { type CallOptions, type SpecificationVersion, toCallOptions } from './prompt.ts'
import {
  effortOptions,
  joinOptions,
  type ProviderOptions,
  parallelOptions,
  passedOptions,
  type Served,
} from './provider-options.ts'

/** A model, and what is sent with each of its calls. */
export interface CalledModel {
  /** The engine's, for warnings. */
  id: string
  model: Served & { specificationVersion: SpecificationVersion }
  providerOptions?: ProviderOptions
  headers?: Record<string, string>
  /** What its refusals taught, in order. */
  lessons: readonly Lesson[]
}

/** A call as it is sent, by the names of the wire, for a refusal to be understood. */
export interface SentCall {
  options: CallOptions
  body: Record<string, unknown>
  messages: Message[]
  /** What was left out or rewritten. */
  warnings: string[]
}

/**
 * Makes the call of a request's completion number `index`.
 * @throws UsageError for what the specification cannot carry, and, if the request is strict, for a setting that it lacks
 */
export function toCall(called: CalledModel, request: CompletionRequest, index: number): SentCall {
  const { id, model, headers } = called
  const { tools, passed, strict } = request
  const asked = {
    body: {
      ...passed,
      ...toWire(request.sampling),
      seed: request.seeds[index],
      parallel_tool_calls: tools && request.parallelToolCalls,
      tools,
    },
    messages: request.messages,
    strict,
  }
  const { body, messages, warnings } = applyLessons(asked, called.lessons)
  const { maxTokens } = request.sampling
  const sampling = { ...fromWire(body), maxTokens }
  const { specificationVersion: version } = model
  const { options: own, left } = toOwnOptions(model, body, Object.keys(passed ?? {}))
  if (strict && left.length > 0) throw new UsageError(`${id} has no \`${left[0]}\`: leave it out`)
  const providerOptions = joinOptions(own, called.providerOptions)
  const options = {
    ...toCallOptions({ ...request, messages, sampling }, version),
    seed: body.seed,
    ...(version === 'v4' && { reasoning: sampling.reasoning }),
    ...(providerOptions && { providerOptions }),
    ...(headers && { headers }),
  } as CallOptions
  const lacking = left.map((field) => describeLeftOut(id, field, 'has no'))
  return { options, body, messages, warnings: [...warnings, ...lacking] }
}

/** Settings without an option in the specification, as options of the provider; `left` are those without any. */
function toOwnOptions(model: CalledModel['model'], body: Record<string, unknown>, passed: string[]) {
  const { reasoning } = fromWire(body)
  const isKnown = (field: string) => body[field] !== undefined
  const others = Object.fromEntries(passed.filter(isKnown).map((field) => [field, body[field]]))
  const { options, left } = passedOptions(model, others)
  const effort =
    reasoning && model.specificationVersion !== 'v4' ? effortOptions(model, reasoning) : undefined
  const isParallel = body.parallel_tool_calls as boolean | undefined
  const parallel = isParallel === undefined ? undefined : parallelOptions(model, isParallel)
  if (body.min_p !== undefined) left.push('min_p')
  if (isParallel !== undefined && !parallel) left.push('parallel_tool_calls')
  return { options: joinOptions(effort, parallel, options), left }
}
