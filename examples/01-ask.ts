/**
 * Runs a small model in this process: it writes three proposals, then one answer.
 *   node examples/01-ask.ts "Why is the sky blue?"
 */
import { answer, openEngine } from 'aft'

const question = process.argv[2] ?? 'Why is the sky blue?'
const engine = await openEngine('smollm2') // 98 MB, downloaded once
const result = await answer(question, { engine, width: 3, depth: 1, maxTokens: 64 })

for (const { index, text } of result.layers[0]?.completions ?? [])
  console.log(`Proposal ${index + 1}: ${text}\n`)
console.log(`Answer: ${result.answer}`)
await engine.close?.()
