/**
 * Prints every event as it happens: proposals as they are written, which ones the next layer sees, the answer.
 *   node examples/06-watch.ts
 */
import { scriptedEngine, streamAnswer } from 'aft'

const engine = scriptedEngine([
  { when: /^1\. /m, replies: ['Say “wa-pa-pa-pow”.'] },
  { replies: ['Wow wow.', 'Nothing, mostly.'] },
])
for await (const event of streamAnswer('What does the fox say?', { engine, width: 2, depth: 1 })) {
  if (event.type === 'layer-start') console.log(`layer ${event.layer + 1}: ${event.width} completions`)
  if (event.type === 'completion-delta') console.log(`  ${event.index + 1}: ${JSON.stringify(event.text)}`)
  if (event.type === 'layer-end')
    console.log(`shown to the next layer: ${event.shown.map((index) => index + 1).join(', ')}`)
  if (event.type === 'answer') console.log(event.result.answer)
}
