/** An engine whose replies are the JSON that was asked for: it strips what stands around it, and has one repair try. */
import type {
  CompletionEnd,
  CompletionRequest,
  Engine,
  EngineEvent,
  FormNote,
  Message,
  Usage,
} from '../../core/provider/engine.ts'
import { isJson } from '../../core/provider/engine.ts'
import { seedAgain } from '../../core/seeds.ts'
import type { FormCheck } from './check.ts'

/** How replies are checked. */
export interface FormRules {
  check: FormCheck
  /** Whether a request's broken replies are left out. */
  leavesOut(request: CompletionRequest): boolean
}

/** What a result warns of, in words that are the same for all prompts; the details are with the completion. */
const WARNINGS = {
  stripped: 'the text around the JSON of a reply was left out',
  repaired: 'a reply was not the JSON that was asked for and was written again',
  broken: 'a reply is not the JSON that was asked for, after one repair',
}

/**
 * The engine with checked replies. The pieces of a text are held back until the whole text was checked, unless the engine
 * keeps to the schema by itself.
 */
export function checkForm(engine: Engine, rules: FormRules): Engine {
  return {
    id: engine.id,
    get contextLength() {
      return engine.contextLength
    },
    defaultMaxTokens: engine.defaultMaxTokens,
    keepsToSchema: engine.keepsToSchema,
    countTokens: engine.countTokens && ((messages) => engine.countTokens?.(messages) as Promise<number>),
    generate: (request) =>
      isJson(request.responseFormat) ? generateChecked(engine, request, rules) : engine.generate(request),
  }
}

async function* generateChecked(
  engine: Engine,
  request: CompletionRequest,
  rules: FormRules,
): AsyncGenerator<EngineEvent> {
  const stop = new AbortController()
  const repairs = new Map<number, Promise<EngineEvent>>()
  const isHeld = !engine.keepsToSchema
  const sendsText = isHeld && !request.endsOnly
  try {
    for await (const made of engine.generate(request)) {
      const event = made.type === 'completion-usage' ? readLater(made, repairs, { request, rules }) : made
      if (!event || (event.type === 'completion-delta' && isHeld)) continue
      if (event.type !== 'completion-end' || event.toolCalls?.length) {
        yield event
        continue
      }
      const end = readEnd(event, rules.check)
      if (end.form?.broken && isHeld && isWorthARepair(end)) {
        const repair = repairEnd(end, { engine, request, rules, stop: stop.signal })
        repair.catch(() => {}) // it is thrown below
        repairs.set(event.index, repair)
      } else yield* ending(settle(end, request, rules), sendsText)
    }
    for (const repair of repairs.values()) yield* ending(await repair, sendsText)
  } finally {
    stop.abort('nobody waits for it')
  }
}

/**
 * What follows an early end. A repair has added to the usage, so this one is dropped. A text that is longer now is checked
 * again; if its repair has begun, it is a new one.
 */
function readLater(
  event: Extract<EngineEvent, { type: 'completion-usage' }>,
  repairs: Map<number, Promise<EngineEvent>>,
  { request, rules }: { request: CompletionRequest; rules: FormRules },
): EngineEvent | undefined {
  const { index, usage, end: longer } = event
  if (!longer) return repairs.has(index) ? undefined : event
  const whole: CompletionEnd = { ...longer, type: 'completion-end', index, usage }
  if (repairs.delete(index)) return whole
  const { type, usage: _, ...end } = settle(readEnd(whole, rules.check), request, rules)
  return { ...event, end }
}

/** A reply without text has nothing to show to the model, and what a filter held back would be held back again. */
function isWorthARepair({ text, finishReason }: CompletionEnd): boolean {
  return text.trim() !== '' && finishReason !== 'content-filter'
}

/** The end after its text, which was held back. */
function* ending(event: EngineEvent, sendsText: boolean): Generator<EngineEvent> {
  if (sendsText && event.type === 'completion-end' && event.text !== '')
    yield { type: 'completion-delta', index: event.index, text: event.text }
  yield event
}

function readEnd(end: CompletionEnd, check: FormCheck): CompletionEnd {
  const { text, isStripped, problems } = check(end.text)
  if (problems.length > 0) return { ...end, form: { broken: problems } }
  if (!isStripped) return end
  const { logprobs, ...rest } = end // they belong to the text as it was
  return { ...rest, text, form: { stripped: true } }
}

/** An end with its warnings. If the text is still broken and others can take its place, it is left out. */
function settle(end: CompletionEnd, request: CompletionRequest, rules: FormRules): CompletionEnd {
  const { form } = end
  if (!form) return end
  const found = (Object.keys(WARNINGS) as (keyof FormNote)[]).filter((name) => form[name])
  const said = form.broken ? found.filter((name) => name !== 'repaired') : found
  const warnings = [...(end.warnings ?? []), ...said.map((name) => WARNINGS[name])]
  return { ...end, warnings, ...(form.broken && rules.leavesOut(request) && { excluded: 'schema' as const }) }
}

interface Repair {
  engine: Engine
  request: CompletionRequest
  rules: FormRules
  /** Fires if nobody waits for the repair. */
  stop: AbortSignal
}

/** Shows the model its own text and what is wrong with it, once. If that fails, the first text stays. */
async function repairEnd(
  first: CompletionEnd,
  { engine, request, rules, stop }: Repair,
): Promise<EngineEvent> {
  const signal = request.signal ? AbortSignal.any([request.signal, stop]) : stop
  const seeds = [seedAgain(request.seeds[first.index] ?? 0)]
  const messages = [...request.messages, ...repairMessages(first, request)]
  const { index } = first
  let usage = first.usage
  for await (const event of engine.generate({ ...request, messages, n: 1, seeds, signal })) {
    if (event.type === 'completion-failed') {
      usage = addUsage(usage, event.usage)
      if (request.signal?.aborted) return { type: 'completion-failed', index, error: event.error, usage }
    }
    if (event.type !== 'completion-end') continue
    const second = readEnd(event, rules.check)
    const { broken } = first.form ?? {}
    const { ms, ...rest } = second
    const reasoning = [first.reasoning, second.reasoning].filter(Boolean).join('\n\n')
    const end: CompletionEnd = {
      ...rest,
      index,
      usage: addUsage(usage, second.usage),
      form: { ...second.form, repaired: broken },
      ...(reasoning && { reasoning }),
    }
    return settle(end, request, rules)
  }
  return settle({ ...first, usage }, request, rules)
}

const MAX_SCHEMA_CHARS = 8_000

function repairMessages({ text, form, finishReason }: CompletionEnd, request: CompletionRequest): Message[] {
  const format = request.responseFormat
  const schema = format?.type === 'json_schema' ? JSON.stringify(format.json_schema?.schema ?? {}) : undefined
  const lines = [
    'This reply cannot be used. What is wrong with it:',
    ...(form?.broken ?? []).map((problem) => `- ${problem}`),
    ...(finishReason === 'length' ? ['- it was cut at the limit of its length: write less'] : []),
    schema === undefined
      ? 'Write the whole reply again, as one JSON object and nothing else.'
      : 'Write the whole reply again, as JSON that follows the schema and nothing else.',
    ...(schema !== undefined && schema.length <= MAX_SCHEMA_CHARS ? [`The schema: ${schema}`] : []),
  ]
  return [
    { role: 'assistant', content: text },
    { role: 'user', content: lines.join('\n') },
  ]
}

/** What a completion took together with its repair. */
function addUsage(a: Usage, b: Usage | undefined): Usage {
  if (!b) return a
  const isUnknown = a.prefilledTokens === null || b.prefilledTokens === null
  const sum = (name: 'reasoningTokens' | 'cost') =>
    a[name] === undefined && b[name] === undefined ? {} : { [name]: (a[name] ?? 0) + (b[name] ?? 0) }
  return {
    ...a,
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    prefilledTokens: isUnknown ? null : (a.prefilledTokens ?? 0) + (b.prefilledTokens ?? 0),
    outputTokens: a.outputTokens + b.outputTokens,
    ...sum('reasoningTokens'),
    ...sum('cost'),
    ...((a.estimated || b.estimated) && { estimated: true }),
  }
}
