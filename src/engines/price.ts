/** What completions cost, if the provider does not report it. */
import type { Engine, Usage } from '../core/provider/engine.ts'
import { mapEvents } from './map-events.ts'

/** US dollars per million tokens. */
export interface Price {
  inputPerMTok: number
  outputPerMTok: number
}

/** The dollars of a usage. A prompt is paid once per call, however many completions share it; cache discounts are not known. */
export function costOf(usage: Usage, { inputPerMTok, outputPerMTok }: Price): number {
  return (usage.calls * usage.inputTokens * inputPerMTok + usage.outputTokens * outputPerMTok) / 1e6
}

/** The same engine, with `usage.cost` added if the provider reports none. */
export function withPrice(engine: Engine, price: Price): Engine {
  const priced = (usage: Usage): Usage => ({ ...usage, cost: usage.cost ?? costOf(usage, price) })
  return mapEvents(engine, (event) =>
    'usage' in event && event.usage ? { ...event, usage: priced(event.usage) } : event,
  )
}
