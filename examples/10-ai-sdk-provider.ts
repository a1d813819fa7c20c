/**
 * Uses aggregation as a model of the AI SDK, without a server: the proposals stream as reasoning, then the answer.
 *   node examples/10-ai-sdk-provider.ts [MODEL] [QUESTION]
 */

import { openEngine } from 'aft'
import { createAft } from 'aft/ai-sdk'
import { streamText } from 'ai'

const [name = 'smollm2', question = 'Why is the sky blue?'] = process.argv.slice(2)
const engine = await openEngine(name) // or any model of the AI SDK: createAft({ engine: openai('…') })
const aft = createAft({ engine, width: 3, depth: 1, maxTokens: 100, showProposals: true })

const result = streamText({ model: aft('aft'), prompt: question })
const proposals = new Map<string, string>()
for await (const part of result.stream) {
  if (part.type === 'reasoning-delta') proposals.set(part.id, (proposals.get(part.id) ?? '') + part.text)
  if (part.type === 'reasoning-end') console.log(`${part.id}: ${proposals.get(part.id)}\n`)
  if (part.type === 'text-delta') process.stdout.write(part.text)
}

const trace = (await result.providerMetadata)?.aft
console.log(
  `\n\n${(await result.usage).outputTokens} tokens written in ${trace?.ms} ms, degraded: ${trace?.degraded}`,
)
await engine.close?.()
