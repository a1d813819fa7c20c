import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ask, longText, prefilledBy, useEmbedded } from './embedded.fixture.ts'

const { engine, folder, collect, complete } = await useEmbedded()

test('a prompt is read once for all its completions', async () => {
  const ends = await complete(ask(longText(200, 'once'), { n: 5 }))
  expect(ends[0]?.usage.inputTokens).toBeGreaterThan(200)
  expect(prefilledBy(ends)).toBe(ends[0]?.usage.inputTokens)
})

test('a prompt that does not fit is refused before any work', async () => {
  const before = engine.evaluatedTokens
  const request = ask('word '.repeat(8000), { maxTokens: 500 })
  const prompt = await engine.countTokens(request.messages)
  const error = await collect(request).catch((error) => error)
  expect(error).toMatchObject({ kind: 'context-overflow', tokens: { prompt, context: 8192 } })
  expect(engine.evaluatedTokens).toBe(before)
})

test('tools are refused with words', async () => {
  const tools = [{ type: 'function' as const, function: { name: 'f' } }]
  await expect(collect(ask('Hi', { tools }))).rejects.toMatchObject({ kind: 'refused', message: /tools/ })
})

test('a schema that cannot be kept to is refused with its path before anything is generated', async () => {
  const before = engine.evaluatedTokens
  const schema = { type: 'object', properties: { year: { type: 'string', pattern: '^[0-9]+$' } } }
  const responseFormat = { type: 'json_schema' as const, json_schema: { name: 'x', schema } }
  const asked = collect(ask('Name a year.', { responseFormat }))
  await expect(asked).rejects.toMatchObject({ kind: 'refused', param: 'response_format' })
  await expect(asked).rejects.toThrow(
    'response_format.json_schema.schema.properties.year.pattern: "pattern" cannot be kept to',
  )
  expect(engine.evaluatedTokens).toBe(before)
})

test('without the library one command is named, and nothing else of the project needs it', async () => {
  const script = path.join(folder, 'missing.mjs')
  const source = `import { registerHooks } from 'node:module'
    const resolve = (name, context, next) => next(name === 'node-llama-cpp' ? 'node-llama-cpp-gone' : name, context)
    registerHooks({ resolve: (name, context, next) => {
      try { return resolve(name, context, next) }
      catch (error) { error.message = error.message.replace('-gone', ''); throw error }
    } })
    const { openEmbedded } = await import(${JSON.stringify(path.join(import.meta.dirname, 'embedded.ts'))})
    await openEmbedded({ file: 'x.gguf' }).catch((error) => console.log(error.name, error.message))`
  await writeFile(script, source)
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  expect(stdout).toMatch(/^UsageError .*: npm install node-llama-cpp\n$/)
})
