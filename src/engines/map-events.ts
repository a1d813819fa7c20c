/** An engine whose events pass through a function. */
import type { Engine, EngineEvent } from '../core/provider/engine.ts'

/** The same engine, with each of its events changed. */
export function mapEvents(engine: Engine, change: (event: EngineEvent) => EngineEvent): Engine {
  return {
    id: engine.id,
    contextLength: engine.contextLength,
    defaultMaxTokens: engine.defaultMaxTokens,
    keepsToSchema: engine.keepsToSchema,
    async *generate(request): AsyncGenerator<EngineEvent> {
      for await (const event of engine.generate(request)) yield change(event)
    },
    ...(engine.countTokens && {
      countTokens: (messages) => engine.countTokens?.(messages) as Promise<number>,
    }),
    ...(engine.score && { score: (...of) => engine.score?.(...of) as ReturnType<typeof engine.score> }),
    ...(engine.close && { close: async () => engine.close?.() }),
  }
}

/** The same engines, by name. `onNote` gets the events that say what they wait for or what they changed. */
export function watchEngines(
  engines: Record<string, Engine>,
  onNote: (event: Extract<EngineEvent, { reason: string }> & { engine: string }) => void,
): Record<string, Engine> {
  const watched = Object.entries(engines).map(([name, engine]): [string, Engine] => [
    name,
    mapEvents(engine, (event) => {
      if ('reason' in event) onNote({ ...event, engine: name })
      return event
    }),
  ])
  return Object.fromEntries(watched)
}
