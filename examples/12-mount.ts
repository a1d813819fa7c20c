/**
 * Runs the server inside your program: a `fetch` handler. Here the official OpenAI client calls it without a network.
 *   node examples/12-mount.ts
 */

import { scriptedEngine } from 'aft'
import { createServer } from 'aft/server'
import { OpenAI } from 'openai'

const house = scriptedEngine([
  { when: /Drafts:/, replies: ['Short waves scatter more, and blue is short.'] },
  { replies: ['It mirrors the sea.', 'Air scatters blue light.'] },
])
const server = createServer({ engines: { house }, presets: { 'house-blend': { width: 2, depth: 1 } } })

const client = new OpenAI({
  baseURL: 'http://anywhere/v1',
  apiKey: 'none',
  fetch: (url, init) => server.fetch(new Request(url, init)),
})
const stream = await client.chat.completions.create({
  model: 'house-blend',
  messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  stream: true,
  stream_options: { include_usage: true },
})
for await (const { choices, usage } of stream) {
  process.stdout.write(choices[0]?.delta.content ?? '')
  if (usage) console.log(`\n${usage.completion_tokens} tokens written, by all calls together`)
}
