import { answer, type Engine, textOf } from 'aft'

const shouting: Engine = {
  id: 'shouting',
  async *generate({ messages, n }) {
    const text = textOf(messages.find(({ role }) => role === 'user') ?? { role: 'user' }).toUpperCase()
    for (let index = 0; index < n; index++) {
      const usage = { calls: 1, inputTokens: 1, prefilledTokens: null, outputTokens: 1 }
      yield { type: 'completion-delta', index, text }
      yield { type: 'completion-end', index, text, finishReason: 'stop', usage }
    }
  },
}
console.log((await answer('why is the sky blue?', { engine: shouting, width: 2, depth: 1 })).answer)
