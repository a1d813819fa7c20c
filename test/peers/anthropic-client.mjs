// Asks a server by the official Anthropic client in every way that it has; prints what came, as JSON.
import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 })
const question = { role: 'user', content: 'What is the capital of France?' }
const ask = { model: 'aft-fast', max_tokens: 24, temperature: 0, messages: [question] }

const whole = await client.messages.create(ask)
const helper = client.messages.stream(ask)
let streamed = ''
helper.on('text', (text) => {
  streamed += text
})
const final = await helper.finalMessage()
let events = ''
for await (const event of await client.messages.create({ ...ask, stream: true })) {
  if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') events += event.delta.text
}
const messages = [
  question,
  { role: whole.role, content: whole.content },
  { role: 'user', content: 'Are you sure?' },
]
const second = await client.messages.create({
  ...ask,
  messages,
  system: [{ type: 'text', text: 'Be brief.' }],
})
const { input_tokens: counted } = await client.messages.countTokens({
  model: ask.model,
  messages: [question],
})
const refused = await client.messages.create({ ...ask, messages: [] }).catch((error) => error)
const missing = await client.messages.create({ ...ask, model: 'claude' }).catch((error) => error)
const models = []
for await (const model of client.models.list()) models.push(model.id)

console.log(
  JSON.stringify({
    whole: whole.content[0].text,
    usage: whole.usage,
    aft: whole.aft,
    stopReason: whole.stop_reason,
    streamed,
    final: final.content[0].text,
    finalUsage: final.usage,
    events,
    second: second.content[0].text,
    counted,
    refused: [refused.constructor.name, refused.status],
    missing: [missing.constructor.name, missing.status],
    models,
  }),
)
