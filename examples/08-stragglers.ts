/**
 * Does not wait for a slow proposer. The result says what is missing.
 *   node examples/08-stragglers.ts
 */
import { answer, scriptedEngine } from 'aft'

const proposer = scriptedEngine((_, index) => ({
  text: `Proposal ${index}.`,
  delayMs: index === 2 ? 60_000 : 1,
}))
const aggregator = scriptedEngine(() => 'The best of both.')
const result = await answer('Why?', {
  engines: { proposer, aggregator },
  proposers: ['proposer'],
  aggregators: ['aggregator'],
  width: 3,
  depth: 1,
  quorum: 2,
  graceMs: 50,
})

console.log(result.answer)
console.log(result.degraded, result.degradedBecause)
