import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { renderRecipeSchema } from './recipe.ts'
import { readRecipe, readRunRecipe } from './recipe-file.ts'
import { hasFastBf16, renderTrlConfig } from './trl-config.ts'

const root = path.join(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-recipe-'))
const write = (text: string) => {
  const file = path.join(folder, 'recipe.yaml')
  writeFileSync(file, text)
  return file
}
const minimal = 'base: smollm2\nmethod: lora\n'

test('the published JSON schema equals the code’s; if not, write it again with renderRecipeSchema', () => {
  const published = readFileSync(path.join(root, 'recipes/recipe.schema.json'), 'utf8')
  expect(JSON.parse(published)).toEqual(JSON.parse(renderRecipeSchema()))
})

test('every shipped recipe is valid, and the files that it names exist', () => {
  const files = globSync('recipes/*.yaml', { cwd: root })
  expect(files.map((file) => path.basename(file, '.yaml')).sort()).toEqual([
    'llama-3.1-8b',
    'mistral-7b',
    'qwen3-8b-lora',
    'smollm2-135m-cpu',
  ])
  for (const file of files) {
    const { chat_template_path } = readRecipe(path.join(root, file))
    if (chat_template_path) expect(readFileSync(chat_template_path, 'utf8')).toContain('messages')
  }
})

describe('a recipe', () => {
  test('has defaults, and settings win over the file', () => {
    const recipe = readRecipe(write(`${minimal}max_steps: 5\n`), ['max_steps=7', 'learning_rate=2.0e-4'])
    expect(recipe).toMatchObject({ rows: 'aft', max_steps: 7, learning_rate: 2e-4, save_total_limit: 2 })
  })

  test.each([
    ['base: a\nmethod: lora\nmax_step: 5\n', ':3: there is no `max_step`; did you mean `max_steps`?'],
    ['base: a\nmethod: lora\nzzz: 5\n', ":3: there is no `zzz`; TRL's other arguments go under `trl:`"],
    ['base: a\nmethod: half\n', ':2: `method`: expected one of full, lora, got "half"'],
    ['base: a\nmethod: lora\nmax_steps: many\n', ':3: `max_steps`: expected a number, got "many"'],
    ['bsae: a\nmethod: lora\n', ':1: there is no `bsae`; did you mean `base`?'],
    ['method: lora\n', ': `base` is missing'],
    ['base: a\nmethod: lora\ntrl:\n  output_dir: /elsewhere\n', 'a recipe cannot set `output_dir`'],
    ['base: a\nmethod: lora\ntrl: { trust_remote_code: true }\n', 'a recipe cannot set `trust_remote_code`'],
    ['base: a\nmethod: lora\ntrl: { hub_model_id: x }\n', 'a recipe cannot set `hub_model_id`'],
    ['base: a\nmethod: lora\ntrl: { trackio_space_id: me/x }\n', 'a recipe cannot set `trackio_space_id`'],
    [
      'base: a\nmethod: lora\nattn_implementation: some/kernel\n',
      ':3: `attn_implementation`: expected one of eager',
    ],
    [`${minimal}stop_at_loss: 0.1\n`, ':3: `stop_at_loss`: expected eval_steps too'],
    ['- a\n', ':1: expected a recipe'],
    ['base: [a\n', ':2: expected YAML: Flow sequence'],
  ])('%j is refused with its line', (text, message) => {
    expect(() => readRecipe(write(text))).toThrow(message)
  })

  test('a wrong setting is named, and for a missing file the likely one is suggested', () => {
    expect(() => readRecipe(write(minimal), ['max_steps=x'])).toThrow(
      '--set max_steps: `max_steps`: expected',
    )
    expect(() => readRecipe(write(minimal), ['steps'])).toThrow('--set: expected field=value')
    expect(() => readRecipe('smollm2-135m-cpu')).toThrow('is recipes/smollm2-135m-cpu.yaml meant?')
  })

  test('has paths relative to its folder; a setting has paths relative to here', () => {
    const file = write(`base: ./model\nmethod: full\ndata: data\nchat_template_path: t.jinja\n`)
    expect(readRecipe(file)).toMatchObject({
      base: path.join(folder, 'model'),
      data: path.join(folder, 'data'),
      chat_template_path: path.join(folder, 't.jinja'),
    })
    expect(readRecipe(file, ['base=./model']).base).toBe('./model')
    expect(readRecipe(write('base: org/name\nmethod: full\n')).base).toBe('org/name')
    const gguf = readRecipe(write('base: gguf:a.gguf\nmethod: full\n')).base
    expect(gguf).toBe(`gguf:${path.join(folder, 'a.gguf')}`)
  })
})

test.each([
  ['licence', 'MIT', 'license'],
  ['overflow', 'drop', 'too_long'],
] as const)(
  '`%s: %s` is refused with the name that it has now, `%s`; in the folder of an older run it is read',
  (old, value, now) => {
    const text = `base: a\nmethod: full\n${old}: ${value}\n`
    expect(() => readRecipe(write(text))).toThrow(
      `recipe.yaml:3: there is no \`${old}\`; the name is now \`${now}\``,
    )
    expect(() => readRecipe(write(minimal), [`${old}=${value}`])).toThrow(`--set ${old}: there is no`)
    expect(readRunRecipe(path.dirname(write(text)))[now]).toBe(value)
  },
)

describe("TRL's configuration", () => {
  const places = { model: 'm', data: 'd', output: 'o' }

  test('has none of our own fields, and "no" is quoted for YAML 1.1', () => {
    const text = renderTrlConfig(readRecipe(write(minimal)), places)
    expect(text).toContain('eval_strategy: "no"')
    expect(text).not.toMatch(/^(base|method|rows|data|processes|too_long|gguf|license):/m)
    expect(parse(text)).toMatchObject({ use_peft: true, logging_steps: 1, completion_only_loss: true })
  })

  test('has no LoRA if all weights are trained, and the fields of `trl` come last', () => {
    const recipe = readRecipe(
      write('base: a\nmethod: full\neval_steps: 5\ntrl: { group_by_length: true, report_to: x }\n'),
    )
    const config = parse(renderTrlConfig(recipe, places))
    expect(config).toMatchObject({
      eval_strategy: 'steps',
      eval_steps: 5,
      report_to: 'x',
      group_by_length: true,
    })
    expect(config).not.toHaveProperty('use_peft')
  })

  test('asks for bfloat16 on a CPU only if it has instructions for that', () => {
    const file = path.join(folder, 'cpuinfo')
    writeFileSync(file, 'flags : fma avx2\n')
    expect(hasFastBf16(file)).toBe(false)
    writeFileSync(file, 'flags : avx512_bf16 avx2\n')
    expect(hasFastBf16(file)).toBe(true)
    expect(hasFastBf16('/no/such/file')).toBe(false)
  })
})
