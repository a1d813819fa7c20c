/** Answers a prompt that may ask for JSON: its proposals and its answer are checked. */
import { answerPrompt } from '../../core/aft.ts'
import type { Host } from '../../core/host.ts'
import type { Plan, Prompt } from '../../core/plan.ts'
import type { CompletionRequest } from '../../core/provider/engine.ts'
import type { Completion } from '../../core/provider/records.ts'
import type { AftEvent, Result } from '../../core/result.ts'
import { type FormCheck, openFormCheck } from './check.ts'
import { checkForm } from './engine.ts'

/**
 * Answers like `answerPrompt`. If the prompt asks for JSON, each reply is checked, and repaired once. A proposal that is
 * still not as asked for is left out. An answer that is not is degraded.
 * @param options `run` answers with a host whose engines check, default `answerPrompt`; `place` is for errors of the schema
 * @throws what `answerPrompt` throws, and UsageError for a schema that is not valid
 */
export async function answerInForm(
  prompt: Prompt,
  plan: Plan,
  host: Host,
  options: { run?: (host: Host) => Promise<Result>; place?: string } = {},
): Promise<Result> {
  const { run = (checked) => answerPrompt(prompt, plan, checked), place } = options
  const check = await openFormCheck(prompt.responseFormat, place)
  if (!check) return run(host)
  const leavesOut = (request: CompletionRequest) => isReplaceable(request, prompt, plan)
  const engines = Object.entries(host.engines).map(([name, engine]) => [
    name,
    checkForm(engine, { check, leavesOut }),
  ])
  const emit = host.emit && ((event: AftEvent) => event.type !== 'answer' && host.emit?.(event))
  const result = noteBroken(await run({ ...host, engines: Object.fromEntries(engines), emit }), check)
  host.emit?.({ type: 'answer', result })
  return result
}

/** With tools, only the answer is JSON: then no proposal can take its place. */
function isReplaceable(
  { key = '' }: CompletionRequest,
  { tools }: Prompt,
  { layers, choose }: Plan,
): boolean {
  const isLast = Number(key.split('.')[0]) === layers.length - 1
  if (!isLast || !tools?.length) return true
  return choose !== 'last' && layers.length === 1 // others of its own layer can
}

/** The result, degraded if its answer is not as asked for, or if the last layer wrote none that is. */
function noteBroken(result: Result, check: FormCheck): Result {
  const { answer, toolCalls, layers, from, plan } = result
  const last = plan.layers.length - 1
  const isCall = toolCalls !== undefined && toolCalls.length > 0
  const problems = isCall ? [] : check(answer).problems
  const written = plan.choose === 'last' ? (layers[last]?.completions ?? []) : []
  const lost = written.filter((c) => c.form?.broken && !isSame(c, last, from))
  const reasons = [
    ...(problems.length > 0 ? [`the answer is not the JSON that was asked for: ${problems.join('; ')}`] : []),
    ...lost.map(
      (c) =>
        `layer ${last + 1}: completion ${c.index + 1} is not the JSON that was asked for: ${c.form?.broken?.join('; ')}`,
    ),
  ]
  if (reasons.length === 0) return result
  return { ...result, degraded: true, degradedBecause: [...(result.degradedBecause ?? []), ...reasons] }
}

function isSame({ index }: Completion, layer: number, from: Result['from']): boolean {
  return layer === from.layer && index === from.index
}
