import { scriptedEngine, streamAnswer } from 'aft'

const engine = scriptedEngine([{ when: /^1\. /m, replies: ['Both.'] }, { replies: ['One.', 'Two.'] }])
for await (const event of streamAnswer('Which?', { engine, width: 2, depth: 1 })) {
  if (event.type === 'layer-end') console.log(`layer ${event.layer + 1}`)
  if (event.type === 'answer') console.log(event.result.answer)
}
