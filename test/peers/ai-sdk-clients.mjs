// Asks a server through the AI SDK's own providers for OpenAI and Anthropic, two turns each; prints what came, as JSON.
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, streamText } from 'ai'

const [baseURL] = process.argv.slice(2)
const openai = createOpenAI({ baseURL, apiKey: 'none' })
const models = {
  responses: openai('aft-fast'),
  chat: openai.chat('aft-fast'),
  anthropic: createAnthropic({ baseURL, apiKey: 'none' })('aft-fast'),
}
const question = 'What is the capital of France?'
const came = {}
for (const [name, model] of Object.entries(models)) {
  const settings = { model, maxOutputTokens: 24, temperature: 0, maxRetries: 0 }
  const first = await generateText({ ...settings, prompt: question })
  const stream = streamText({ ...settings, prompt: question })
  const messages = [
    { role: 'user', content: question },
    ...first.response.messages,
    { role: 'user', content: 'Are you sure?' },
  ]
  const second = await generateText({ ...settings, messages })
  came[name] = {
    first: first.text,
    usage: first.usage,
    streamed: await stream.text,
    streamedUsage: await stream.usage,
    second: second.text,
  }
}
console.log(JSON.stringify(came))
