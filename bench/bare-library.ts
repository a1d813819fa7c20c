/**
 * The shortest way from a GGUF to a first token with node-llama-cpp alone. Prints when the first token comes. It uses one
 * thread per core: the library's own default is up to four, which is several times slower on two cores.
 */
import { availableParallelism } from 'node:os'
import { getLlama } from 'node-llama-cpp'

const [file = '', question = ''] = process.argv.slice(2)
const llama = await getLlama({
  build: 'never',
  gpu: false,
  progressLogs: false,
  maxThreads: availableParallelism(),
})
const model = await llama.loadModel({ modelPath: file })
const context = await model.createContext({ contextSize: 2048 })
const prompt = `<|im_start|>system\n\n<|im_end|>\n<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`
const options = { temperature: 0.7, topP: 0.95, seed: 1 }
for await (const token of context.getSequence().evaluate(model.tokenize(prompt, true), options)) {
  process.stdout.write(model.detokenize([token]))
  process.exit(0)
}
