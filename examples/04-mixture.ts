/**
 * A mixture of agents: several models propose, and one writes the answer. If it fails, another one writes it.
 *   node examples/04-mixture.ts MODEL MODEL [AGGREGATOR]
 */
import { answer, openEngines } from 'aft'

const [first = 'scripted:echo', second = 'smollm2', last = second] = process.argv.slice(2)
const { engines, close } = await openEngines([first, second, last])
const result = await answer('What is a good name for a fox?', {
  engines,
  strategy: 'moa',
  proposers: [first, second],
  aggregators: [last, first],
  depth: 1,
  maxTokens: 48,
})

for (const { engine, text } of result.layers.flatMap((layer) => layer.completions))
  console.log(`${engine}: ${text}\n`)
await close()
