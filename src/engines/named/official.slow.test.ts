/** The official providers of the AI SDK, from npm, against loopback servers that refuse what those services refuse. */
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { installPackages } from '../../../test/peers/node-packages.ts'
import type { Message } from '../../core/provider/engine.ts'
import { type AnswerOptions, answer, streamAnswer } from '../../run/answer.ts'
import { fromAiSdk } from '../ai-sdk/ai-sdk.ts'
import { services } from './official.fixture.ts'
import { officialModel, startService } from './official-server.fixture.ts'
import { JSON_TEXT, KEY, type Service, TEXT } from './official-service.fixture.ts'

/** The packages of specification v3 (AI SDK 6) and v4 (AI SDK 7). */
const packages: Record<string, Record<string, string>> = {
  v3: { anthropic: '3.0.140', openai: '3.0.141', google: '3.0.141', mistral: '3.0.69' },
  v4: { anthropic: '4.0.105', openai: '4.0.118', google: '4.0.121', mistral: '4.0.87' },
}
const install = (version: string) =>
  installPackages(Object.entries(packages[version] ?? {}).map(([name, at]) => `@ai-sdk/${name}@${at}`))

const each = Object.keys(packages).flatMap((version) =>
  Object.entries(services).map(([name, service]) => [version, name, service] as const),
)

describe.each(each)('%s %s', (version, name, service) => {
  const question: Message[] = [{ role: 'user', content: 'Name a river.' }]

  async function start(model = service.model) {
    const started = await startService(service)
    onTestFinished(started.close)
    const engine = fromAiSdk(officialModel(install(version), name, started.baseURL, model), {
      id: 'it',
      maxRetries: 0,
    })
    const ask = (prompt: Parameters<typeof answer>[0] = question, options: AnswerOptions = {}) =>
      answer(prompt, { engine, width: 3, depth: 1, ...options })
    return { ...started, engine, ask }
  }

  /** Two of the services have no seed. */
  const usual = ['anthropic', 'openai'].includes(name) ? [expect.stringContaining('`seed`')] : undefined

  test('a plain question: three proposals and an answer, nothing is refused', async () => {
    const { ask, refused, answered } = await start()
    const result = await ask()
    expect({ ...result, refused }).toMatchObject({ answer: TEXT, degraded: false, refused: [] })
    expect(result.warnings).toEqual(usual)
    expect(answered).toHaveLength(4)
    expect(result.layers[0]?.completions[0]?.usage).toMatchObject({ inputTokens: 13, outputTokens: 4 })
    if (name !== 'mistral') expect(result.layers[0]?.completions[0]?.usage.prefilledTokens).toBe(9)
  })

  test('streamed, with a system prompt', async () => {
    const { engine, refused } = await start()
    const messages: Message[] = [{ role: 'system', content: 'Be brief.' }, ...question]
    const deltas: string[] = []
    for await (const event of streamAnswer(messages, { engine, width: 2 })) {
      if (event.type === 'completion-delta') deltas.push(event.text)
    }
    expect({ refused, deltas }).toEqual({ refused: [], deltas: [TEXT, TEXT, TEXT] })
  })

  test('tools: a call, and the turn after it', async () => {
    const { ask, refused } = await start()
    const parameters = { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] }
    const tools = [{ type: 'function' as const, function: { name: 'look', parameters } }]
    const { toolCalls = [], finishReason } = await ask({ messages: question, tools })
    expect(toolCalls.map((call) => call.function)).toEqual([{ name: 'look', arguments: '{"at":"sky"}' }])
    expect(finishReason).toBe('tool-calls')
    const turns: Message[] = [
      ...question,
      { role: 'assistant', content: null, tool_calls: toolCalls },
      { role: 'tool', tool_call_id: toolCalls[0]?.id, content: 'blue' },
    ]
    const second = await ask({ messages: turns, tools })
    expect(second).toMatchObject({ answer: TEXT, degraded: false })
    // Claude refuses the turns of tools at the proposers, which have none: one learns it, and all send them as text.
    const isClaude = name === 'anthropic'
    expect(refused).toHaveLength(isClaude ? 1 : 0)
    expect(second.warnings?.join() ?? '').toMatch(isClaude ? /turns of tools/ : /^(?!.*turns of tools)/)
    await ask({ messages: turns, tools })
    expect(refused).toHaveLength(isClaude ? 1 : 0)
  })

  test('two settings that exclude each other, and one above its range', async () => {
    const { ask } = await start()
    const result = await ask(question, { temperature: 1.9, topP: 0.9 })
    expect(result).toMatchObject({ answer: TEXT, degraded: false })
    if (name === 'anthropic' || name === 'openai')
      expect(result.warnings?.filter((w) => /temperature|top_?p/i.test(w)).length).toBeGreaterThan(1)
  })

  test('a schema', async () => {
    const { ask, refused } = await start()
    const schema = {
      type: 'object',
      properties: { river: { type: 'string' } },
      required: ['river'],
      additionalProperties: false,
    }
    const responseFormat = { type: 'json_schema' as const, json_schema: { name: 'answer', schema } }
    expect({ ...(await ask({ messages: question, responseFormat })), refused }).toMatchObject({
      answer: JSON_TEXT,
      refused: [],
    })
  })

  test('how much it thinks, and what it thought', async () => {
    const { ask, refused, answered } = await start()
    const { layers, ...result } = await ask(question, { reasoning: 'high' })
    expect({ ...result, refused }).toMatchObject({ answer: TEXT, refused: [] })
    if (version === 'v4' && name === 'mistral') return // the package knows no effort of this model
    for (const { effort } of answered)
      expect([effort].flat()).toEqual([
        name === 'mistral' ? 'high' : expect.objectContaining(effortOf(version, name)),
      ])
    expect(layers[0]?.completions[0]?.reasoning).toBe('Hm.')
  })

  test('a temperature that the service refuses is left out and told, and an error if the plan is strict', async () => {
    const { ask, refused, answered } = await start(service.newModel)
    const result = await ask(question, { temperature: 0.7 })
    expect(result).toMatchObject({ answer: TEXT, degraded: false })
    expect(result.warnings).toContainEqual(expect.stringMatching(/temperature/))
    const count = refused.length
    expect(count).toBeGreaterThan(0)
    await ask(question, { temperature: 0.7 })
    expect(refused).toHaveLength(count)
    expect(answered).toHaveLength(8)
    await expect(ask(question, { temperature: 0.7, strict: true })).rejects.toThrow(/temperature/)
  })
})

function effortOf(version: string, name: string) {
  if (name === 'openai') return { effort: 'high' }
  if (name === 'google') return { thinkingBudget: expect.any(Number) }
  return version === 'v4' ? { type: expect.any(String) } : { type: 'enabled', budget_tokens: 9_600 }
}

test.each(Object.keys(services))(
  'aft ask answers with %s at the first try; --strict refuses',
  async (name) => {
    const service = services[name] as Service
    const folder = mkdtempSync(join(tmpdir(), 'aft-official-'))
    symlinkSync(join(install('v4'), 'node_modules'), join(folder, 'node_modules'))
    const { baseURL, refused, answered, close } = await startService(service)
    onTestFinished(close)
    const entry = (model: string) =>
      name === 'openai'
        ? `createOpenAI({ baseURL: '${baseURL}', apiKey: process.env.SERVICE_KEY })('${model}')`
        : `{ provider: '${name}', model: '${model}', baseURL: '${baseURL}', apiKeyEnv: 'SERVICE_KEY', maxRetries: 0 }`
    const imports = name === 'openai' ? "import { createOpenAI } from '@ai-sdk/openai'\n" : ''
    const engines = `{ it: ${entry(service.model)}, next: ${entry(service.newModel)} }`
    writeFileSync(join(folder, 'aft.config.mjs'), `${imports}export default { engines: ${engines} }`)
    const ask = (...flags: string[]) =>
      aft(['ask', 'Name a river.', ...flags], { cwd: folder, env: { SERVICE_KEY: KEY } })
    expect({ ...(await ask('--model', 'it', '--width', '3')), refused }).toMatchObject({
      refused: [],
      stdout: `${TEXT}\n`,
      code: 0,
    })
    expect(answered).toHaveLength(4)
    const warm = ['--model', 'next', '--temperature', '0.7']
    expect(await ask(...warm)).toMatchObject({
      stdout: `${TEXT}\n`,
      stderr: expect.stringMatching(/^warning: .*temperature/m),
      code: 0,
    })
    expect(await ask(...warm, '--strict')).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(/temperature/),
      code: 1,
    })
  },
)
