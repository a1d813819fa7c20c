/**
 * Your own engine: one function that turns a request into events. `engineContract` of src/engines/contract.ts tests whether
 * it does everything that an engine must do.
 *   node examples/09-own-engine.ts
 */
import { answer, type Engine, EngineError, textOf } from 'aft'

const shouting: Engine = {
  id: 'shouting',
  async *generate({ messages, n, sampling, signal }) {
    const words = textOf(messages.find(({ role }) => role === 'user') ?? { role: 'user' })
      .toUpperCase()
      .split(' ')
    for (let index = 0; index < n; index++) {
      if (signal?.aborted) {
        yield { type: 'completion-failed', index, error: new EngineError('shouting', 'aborted', 'stopped') }
        continue
      }
      const text = words.slice(0, sampling.maxTokens).join(' ')
      const usage = {
        calls: index === 0 ? 1 : 0,
        inputTokens: words.length,
        prefilledTokens: null,
        outputTokens: words.length,
      }
      yield { type: 'completion-delta', index, text }
      yield { type: 'completion-end', index, text, finishReason: 'stop', usage }
    }
  },
}
console.log((await answer('why is the sky blue?', { engine: shouting, width: 2, depth: 1 })).answer)
