/** Tool mode `first-call`: proposers get the tools too, and the first call of one of them is the answer. */
import { answerPrompt } from '../core/aft.ts'
import type { Host } from '../core/host.ts'
import type { Plan, Prompt } from '../core/plan.ts'
import type { Completion, Failure } from '../core/provider/records.ts'
import { type AftEvent, type Result, summarize } from '../core/result.ts'

/**
 * Answers like `answerPrompt`, but stops at the first tool call of a proposer. If none calls a tool, their texts are
 * aggregated as usual.
 */
export async function answerByFirstCall(prompt: Prompt, plan: Plan, host: Host): Promise<Result> {
  const [first] = plan.layers
  if (!first || plan.layers.length === 1) return answerPrompt(prompt, plan, host)
  const called = new AbortController()
  const completions: Completion[] = []
  const failures: Failure[] = []
  let call: Completion | undefined
  const emit = (event: AftEvent) => {
    if (event.type === 'answer') return
    host.emit?.(event)
    if (event.type === 'completion-failed') failures.push(event.failure)
    if (event.type !== 'completion-end') return
    completions.push(event.completion)
    if (!event.completion.toolCalls?.length || call) return
    call = event.completion
    called.abort('another proposer called a tool')
  }
  const signal = host.signal ? AbortSignal.any([host.signal, called.signal]) : called.signal
  try {
    await answerPrompt(prompt, { ...plan, layers: [first], choose: 'random' }, { ...host, signal, emit })
  } catch (error) {
    host.signal?.throwIfAborted()
    if (!call) throw error
  }
  const layer = { completions, failures }
  if (!call) return answerPrompt(prompt, plan, { ...host, recorded: [layer] })
  return summarize([layer], { completion: call, layer: 0, degradedBecause: [] }, [], {
    plan,
    template: host.template,
  })
}
