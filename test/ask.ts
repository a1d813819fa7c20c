/** For tests: asks the core with a plan made from options and engines by name, and collects its events. */
import { answerPrompt } from '../src/core/aft.ts'
import type { Host } from '../src/core/host.ts'
import type { Plan, Prompt } from '../src/core/plan.ts'
import type { Engine } from '../src/core/provider/engine.ts'
import type { AftEvent, Result } from '../src/core/result.ts'
import { makePlan, type PlanOptions } from '../src/plans/strategies.ts'
import { defaultTemplate } from '../src/plans/wordings.ts'
import { createVirtualClock } from './virtual-clock.ts'

export const question: Prompt = { id: 'q', messages: [{ role: 'user', content: 'Why is the sky blue?' }] }

/** 5 x 2 (but a mixture as its engines are), and the first engine proposes, unless `options` say otherwise. */
export function planFor(engines: Record<string, Engine>, options: Partial<PlanOptions> = {}): Plan {
  const size = options.strategy === 'moa' ? {} : { width: 5, depth: 2 }
  return makePlan({ proposers: Object.keys(engines).slice(0, 1), ...size, ...options })
}

/** Returns the result, with all events before it. */
export async function ask(
  engines: Record<string, Engine>,
  plan: Plan,
  { prompt = question, ...more }: Partial<Host> & { prompt?: Prompt } = {},
): Promise<Result & { events: AftEvent[] }> {
  const events: AftEvent[] = []
  const emit = (event: AftEvent) => void events.push(event)
  const host = { engines, template: defaultTemplate, clock: createVirtualClock(), emit, ...more }
  return { ...(await answerPrompt(prompt, plan, host)), events }
}
