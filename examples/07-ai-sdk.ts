/**
 * Uses a model of the AI SDK as an engine.
 *   node examples/07-ai-sdk.ts 'http://127.0.0.1:8000/v1' llama
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { answer, fromAiSdk } from 'aft'

const [baseURL = 'http://127.0.0.1:8000/v1', model = 'llama'] = process.argv.slice(2)
const provider = createOpenAICompatible({ name: 'mine', baseURL })
const engine = fromAiSdk(provider(model))
const result = await answer('Name a river.', { engine, width: 3, depth: 1, maxTokens: 100 })

console.log(result.answer)
