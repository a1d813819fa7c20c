import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UsageError } from '../core/provider/errors.ts'
import { loadConfig, readConfig } from './config.ts'
import { checkConfig } from './config-schema.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aft-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a folder without config has none', async () => {
  expect(await loadConfig(folder)).toBeUndefined()
})

test('a config is a module, JSON or YAML; TypeScript comes first, YAML last', async () => {
  writeFileSync(join(folder, 'aft.config.yml'), 'engines:\n  a: openai:from-yml\n')
  expect(await loadConfig(folder)).toEqual({ engines: { a: 'openai:from-yml' } })
  writeFileSync(join(folder, 'aft.config.yaml'), 'engines: { a: "openai:from-yaml" }\n')
  expect(await loadConfig(folder)).toEqual({ engines: { a: 'openai:from-yaml' } })
  writeFileSync(join(folder, 'aft.config.json'), '{"engines": {"a": "openai:from-json"}}')
  expect(await loadConfig(folder)).toEqual({ engines: { a: 'openai:from-json' } })
  const source = "const a: string = 'openai:from-ts'\nexport default { engines: { a } }\n"
  writeFileSync(join(folder, 'aft.config.ts'), source)
  expect(await loadConfig(folder)).toEqual({ engines: { a: 'openai:from-ts' } })
})

test('a config that cannot be run or has no default export says which file', async () => {
  const file = join(folder, 'aft.config.mjs')
  writeFileSync(file, 'export const engines = {}\n')
  await expect(loadConfig(folder)).rejects.toThrow(`${file}: expected \`export default`)
  const broken = join(folder, 'broken.mjs')
  writeFileSync(broken, 'export const a = 1\nexport default { engines: nope }\n')
  await expect(readConfig(broken)).rejects.toThrow(`${broken}:2: nope is not defined`)
  const torn = join(folder, 'other.json')
  writeFileSync(torn, '{')
  await expect(readConfig(torn)).rejects.toThrow(UsageError)
  writeFileSync(torn, '{\n  "engines": {"a" "b"}\n}')
  await expect(readConfig(torn)).rejects.toThrow(`${torn}:2: expected JSON: Expected ':' after property name`)
  writeFileSync(torn, '{\n  "engines": {\n    "a": { "model": 3 }\n  }\n}')
  await expect(readConfig(torn)).rejects.toThrow('other.json:3: engines.a.model: expected text, got 3')
  const yaml = join(folder, 'other.yml')
  writeFileSync(yaml, 'engines:\n  a: [openai:x\ndefaults: {}\n')
  await expect(readConfig(yaml)).rejects.toThrow(UsageError)
  await expect(readConfig(yaml)).rejects.toThrow(`${yaml}:3: expected YAML: `)
  writeFileSync(yaml, 'engines:\n  a: openai:x\n\ndefaults:\n  width: 0\n')
  await expect(readConfig(yaml)).rejects.toThrow('other.yml:5: defaults.width: expected ')
  await expect(readConfig(join(folder, 'none.json'))).rejects.toThrow(/none.json: there is no such file/)
})

const preset = (two: object) => ({ presets: { two } })
const settings = 'temperature, topP, topK, minP, maxTokens, reasoning'
const engine = (parts: object) => ({ engines: { fast: { model: 'm', ...parts } } })

test.each([
  [5, 'aft.config.ts: expected an object, got 5'],
  [{ engine: {} }, 'aft.config.ts: unknown field engine; did you mean engines?'],
  [engine({ model: 3 }), 'aft.config.ts: engines.fast.model: expected text, got 3'],
  [
    engine({ maxRetries: -1 }),
    'aft.config.ts: engines.fast.maxRetries: expected a whole number from 0, got -1',
  ],
  [
    engine({ baseURL: 'x' }),
    'aft.config.ts: engines.fast.baseURL: expected an http address, or a list of them, got "x"',
  ],
  [
    engine({ price: { inputPerMTok: 'five', outputPerMTok: 1 } }),
    'aft.config.ts: engines.fast.price.inputPerMTok: expected a number, got "five"',
  ],
  [
    { engines: { 'a:b': 'm' } },
    'aft.config.ts: engines.a:b: expected a name of letters, digits, ".", "_" and "-"',
  ],
  [{ defaults: { width: 0 } }, 'aft.config.ts: defaults.width: expected a whole number from 1, got 0'],
  [
    preset({ proposers: ['a', { engine: 'b', temperature: 'hot' }] }),
    'aft.config.ts: presets.two.proposers.1.temperature: expected a number from 0 to 5, got "hot"',
  ],
  [
    preset({ proposers: [{ n: 2 }] }),
    'aft.config.ts: presets.two.proposers.0.engine: expected an engine name, got nothing',
  ],
  [
    preset({ proposers: [{ engine: 'a', temprature: 1 }] }),
    `aft.config.ts: presets.two.proposers.0: expected one of engine, n, ${settings}, fallbacks (did you mean temperature?), got "temprature"`,
  ],
  [
    preset({ aggregators: [{ engine: 'a', n: 2 }] }),
    `aft.config.ts: presets.two.aggregators.0: expected one of engine, ${settings}, fallbacks, got "n"`,
  ],
  [
    preset({ aggregators: [{ engine: 'a', fallbacks: ['b', { engine: 'c', reasoning: 'much' }] }] }),
    'aft.config.ts: presets.two.aggregators.0.fallbacks.1.reasoning: expected one of none, minimal, low, medium, high, xhigh, max, got "much"',
  ],
  [
    preset({ aggregators: [{ engine: 'a', fallbacks: 'b' }] }),
    'aft.config.ts: presets.two.aggregators.0.fallbacks: expected a list of engine names, got "b"',
  ],
  [
    preset({ judge: ['a'] }),
    'aft.config.ts: presets.two.judge: expected an engine name, or an object with `engine`, got ["a"]',
  ],
  [
    preset({ proposers: [] }),
    'aft.config.ts: presets.two.proposers: expected a list of engine names, got []',
  ],
])('%j is refused: %s', (value, message) => {
  expect(() => checkConfig(value, 'aft.config.ts')).toThrow(new UsageError(message))
})

const secret = 'sk-abcdefgh12345678'

test.each([
  engine({ apiKey: 'anything' }),
  engine({ apiKey: secret }),
  engine({ apiKeyEnv: secret }),
  engine({ apiKeyEnv: 'abcdef0123456789' }),
  { engines: { fast: `http://user:${secret}@host/v1#m` } },
])('a literal key is refused and not repeated: %j', (value) => {
  const check = () => checkConfig(value)
  expect(check).toThrow(/Keys belong in the environment, never in a file/)
  expect(check).not.toThrow(/abcdef/)
})

test('functions and AI SDK models pass as they are', () => {
  const config = {
    engines: { own: () => null, sdk: { doStream() {}, specificationVersion: 'v4', apiKey: secret } },
  }
  expect(checkConfig(config)).toBe(config)
})
