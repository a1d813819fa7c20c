import { scriptedEngine } from 'aft'
import { createAft } from 'aft/ai-sdk'
import { generateText, streamText } from 'ai'

const engine = scriptedEngine([{ when: /^1\. /m, replies: ['Both.'] }, { replies: ['One.', 'Two.'] }])
const model = createAft({ engine, width: 2, depth: 1 })('aft')
const { text, providerMetadata } = await generateText({ model, prompt: 'Which?' })
console.log(text, providerMetadata?.aft?.degraded)
for await (const part of streamText({ model, prompt: 'Which?' }).textStream) console.log(part)
