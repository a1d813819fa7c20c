/**
 * An engine with fixed replies: the same every time, offline. Use it to test a program that uses aft.
 *   node examples/02-scripted.ts
 */
import { answer, scriptedEngine } from 'aft'

const engine = scriptedEngine([
  { when: /^1\. /m, replies: ['Short waves scatter more, so blue light comes from everywhere.'] },
  {
    when: 'sky',
    replies: ['Air scatters blue light.', 'Because of Rayleigh scattering.', 'It mirrors the sea.'],
  },
])
const { answer: text, usage } = await answer('Why is the sky blue?', { engine, width: 3, depth: 1 })

console.log(text)
console.log(`${usage.calls} calls, ${usage.outputTokens} tokens written`)
console.log(engine.requests[1]?.messages.at(-1)?.content) // what the aggregator saw
