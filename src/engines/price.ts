/** What completions cost where the provider does not tell. */
import type { Engine, EngineEvent, Usage } from '../core/provider/engine.ts'

/** US dollars a million tokens. */
export interface Price {
  inputPerMTok: number
  outputPerMTok: number
}

/** Dollars of a usage. A prompt is paid once a call, however many completions share it; a cache's discount is not known. */
export function costOf(usage: Usage, { inputPerMTok, outputPerMTok }: Price): number {
  return (usage.calls * usage.inputTokens * inputPerMTok + usage.outputTokens * outputPerMTok) / 1e6
}

/** The same engine, with `usage.cost` wherever the provider tells none. */
export function withPrice(engine: Engine, price: Price): Engine {
  const priced = (usage: Usage): Usage => ({ ...usage, cost: usage.cost ?? costOf(usage, price) })
  return {
    id: engine.id,
    contextLength: engine.contextLength,
    async *generate(request): AsyncGenerator<EngineEvent> {
      for await (const event of engine.generate(request)) {
        yield 'usage' in event && event.usage ? { ...event, usage: priced(event.usage) } : event
      }
    },
    ...(engine.countTokens && {
      countTokens: (messages) => engine.countTokens?.(messages) as Promise<number>,
    }),
    ...(engine.score && { score: (...of) => engine.score?.(...of) as ReturnType<typeof engine.score> }),
    ...(engine.close && { close: async () => engine.close?.() }),
  }
}
