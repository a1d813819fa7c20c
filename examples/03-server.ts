/**
 * Uses any server that speaks the OpenAI API: vLLM, llama-server, Ollama, a hosted one.
 *   node examples/03-server.ts 'http://127.0.0.1:8000/v1#llama'
 */
import { answer, openEngine } from 'aft'

const [name = 'http://127.0.0.1:8000/v1#llama'] = process.argv.slice(2)
const engine = await openEngine(name)
const result = await answer('Name three rivers of Asia.', { engine, maxTokens: 200 })

console.log(result.answer)
console.log(result.usage)
