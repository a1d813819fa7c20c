/**
 * Prints the prefill and decode rates of one file as JSON: `model-format-speed.ts FILE THREADS REPEATS [FOLDER]`.
 * FOLDER is a copy of the library's binaries that is used instead of the installed ones.
 */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [file = '', threads = '2', repeats = '2', folder] = process.argv.slice(2)
if (folder) {
  const url = pathToFileURL(join(folder, 'dist', 'index.js')).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith('@node-llama-cpp/') ? { url, shortCircuit: true } : next(specifier, context),
  })
}
const { measureOwnLimit } = await import('./own-limit.ts')
const points = [1, 5, 8, 24].map((sequences) => ({ sequences, promptTokens: 160 }))
console.log(JSON.stringify(await measureOwnLimit(file, points, Number(threads), Number(repeats))))
