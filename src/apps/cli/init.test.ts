import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { noTerminal, runInTerminal } from '../../../test/pty.ts'
import { ollama, startKind } from '../../engines/named/servers.fixture.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aft-init-'))
})
const nowhere = '127.0.0.1:1'
const servers = ['LMSTUDIO_BASE_URL', 'VLLM_BASE_URL', 'LLAMA_ARG_HOST', 'SGLANG_BASE_URL']
const env = { OLLAMA_HOST: nowhere, ...Object.fromEntries(servers.map((name) => [name, nowhere])) }
const init = (...args: string[]) => aftHere(['init', ...args], { cwd: folder, env })
const read = (name = 'aft.config.yaml') => readFileSync(join(folder, name), 'utf8')

test('without a terminal flags say what to write, and the next command uses it', async () => {
  expect(await init('--model', 'scripted:echo', '--width', '2', '--depth', '0')).toEqual({
    code: 0,
    signal: null,
    stdout: 'wrote aft.config.yaml. Try it:\n  $ aft ask "Why is the sky blue?"\n',
    stderr: '',
  })
  expect(read()).toMatch(
    /^# Made by `aft init`.*defaults:\n {2}model: scripted:echo\n {2}width: 2\n {2}depth: 0\n$/s,
  )
  const { stdout, code } = await aftHere(['ask', 'Hi', '--json', '--no-progress'], { cwd: folder, env })
  expect({ code, layers: JSON.parse(stdout).plan.layers.length }).toEqual({ code: 0, layers: 1 })
  expect((await init('--model', 'scripted:echo', '-o', 'other.json')).stdout).toContain('--config other.json')
  expect(JSON.parse(read('other.json'))).toEqual({ defaults: { model: 'scripted:echo' } })
})

test('it replaces no config unasked, writes none that another hides, and no wrong model', async () => {
  writeFileSync(join(folder, 'aft.config.yaml'), 'defaults: {}\n')
  const refused = [
    [[], 'aft.config.yaml exists already: --force replaces it'],
    [['--force'], 'there is no terminal to ask on: give --model; found here: smollm2 (in this process'],
    [['--force', '--model', 'olama:x'], 'did you mean ollama:x?'],
    [['--force', '--width', '0'], '--width: expected a whole number from 1'],
    [['-o', 'a.ts'], 'a.ts: expected a name that ends in .yaml or .json'],
  ] as const
  for (const [args, text] of refused) {
    const { stderr, code } = await init(...args)
    expect({ stderr, code }).toEqual({ stderr: expect.stringContaining(text), code: 2 })
  }
  expect(read()).toBe('defaults: {}\n')
  writeFileSync(join(folder, 'aft.config.json'), '{}')
  const { stderr } = await init('--force', '--model', 'scripted:echo')
  expect(stderr).toContain('aft.config.json is here, and commands read it before aft.config.yaml')
})

test.skipIf(noTerminal)('on a terminal it lists what it found, and asks', async () => {
  const server = await startKind(ollama, 'Hello.')
  const steps: [when: RegExp, keys: string][] = [
    [/\[1\] $/, '9\r'],
    [/expected 1 to 3[\s\S]*\[1\] $/, '2\r'],
  ]
  const type = (raw: string) =>
    steps[0]?.[0].test(raw.replace(/\x1b\[\w+/g, '')) ? steps.shift()?.[1] : undefined
  const command = `cd '${folder}'; '${process.execPath}' '${join(import.meta.dirname, '../../../bin/aft.js')}' init`
  const here = { ...env, OLLAMA_HOST: `http://127.0.0.1:${server.port}`, AFT_CACHE_DIR: folder }
  const { screen, code } = await runInTerminal(command, { type, env: here })
  await server.close()
  expect({ code, steps }).toEqual({ code: 0, steps: [] })
  const text = await screen.read()
  expect(text).toMatch(
    /1 {2}ollama:llama3.2:latest {2}Ollama at .*\n.*2 {2}ollama:qwen3:4b .*\n.*3 {2}smollm2/,
  )
  expect(read()).toContain('model: ollama:qwen3:4b')
})
