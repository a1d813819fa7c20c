/** Gets one completion, or throws the error that prevented it. */
import type { CompletionEnd, CompletionRequest, Engine } from '../core/provider/engine.ts'
import { EngineError } from '../core/provider/errors.ts'

/**
 * Asks an engine for one completion.
 * @throws EngineError, or the signal's reason
 */
export async function completeOnce(
  engine: Engine,
  { seed, ...request }: Omit<CompletionRequest, 'n' | 'seeds'> & { seed: number },
): Promise<CompletionEnd> {
  let end: CompletionEnd | undefined
  for await (const event of engine.generate({ ...request, n: 1, seeds: [seed] })) {
    if (event.type === 'completion-failed') {
      request.signal?.throwIfAborted()
      throw event.error
    }
    if (event.type === 'completion-end') end = event
  }
  if (end) return end
  throw new EngineError(engine.id, 'missing', 'the engine ended without a completion')
}
