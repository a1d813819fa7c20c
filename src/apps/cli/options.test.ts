/** The table is the only place that declares an option: every door is made from it. */
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { renderOptions, renderSettings } from '../../../docs/make-options.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { checkConfig } from '../../engines/config-schema.ts'
import { type EngineOptionSpec, engineOptions } from '../../engines/engine-options.ts'
import { openEngine } from '../../engines/open.ts'
import type { OptionKind } from '../../plans/option-kinds.ts'
import { checkOptions, type OptionTable, planOptions } from '../../plans/options.ts'
import { makeAftSchema } from '../../request/plans.ts'
import { parseBody } from '../server/api-error.ts'
import { addAnswerFlags } from './flags.ts'
import { makeProgram } from './main.ts'

const table: OptionTable = {
  ...planOptions,
  mirrorCount: {
    group: 'Plan',
    kind: { type: 'whole', from: 2 },
    help: 'mirrors of each proposal',
    default: 4,
    formerly: 'mirrors',
  },
}

const thrownBy = (call: () => unknown) => {
  try {
    return call()
  } catch (error) {
    return error
  }
}

test('a new option is a flag, with its help and its limits', () => {
  const command = addAnswerFlags(new Command('ask'), [], table).exitOverride()
  const option = command.options.find(({ long }) => long === '--mirror-count')
  expect(option).toMatchObject({ helpGroupHeading: 'Plan:', defaultValueDescription: '4' })
  expect(command.helpInformation()).toMatch(/--mirror-count <n> +mirrors of each proposal/)
  expect(command.parse(['--mirror-count', '3'], { from: 'user' }).opts()).toEqual({ mirrorCount: 3 })
  command.configureOutput({ writeErr: () => {} })
  expect(() => command.parse(['--mirror-count', '1'], { from: 'user' })).toThrow(
    /--mirror-count.*expected a whole number from 2/,
  )
})

test.each(['defaults', 'presets.mine'])('a new option may stand in a config, in %s', (place) => {
  const configWith = (values: object) =>
    place === 'defaults' ? { defaults: values } : { presets: { mine: values } }
  const check = (values: object) => thrownBy(() => checkConfig(configWith(values), 'aft.config.ts', table))
  expect(check({ mirrorCount: 3 })).toEqual(configWith({ mirrorCount: 3 }))
  const start = `aft.config.ts: ${place}.`
  expect(check({ mirrorCount: 1 })).toEqual(
    new UsageError(`${start}mirrorCount: expected a whole number from 2, got 1`),
  )
  expect(check({ mirrors: 3 })).toEqual(new UsageError(`${start}mirrors: the name is now mirrorCount`))
})

test('a new option may stand in the field aft of a request; an error says which field', () => {
  const read = (values: object) => thrownBy(() => parseBody(makeAftSchema(table), values, ['aft']))
  expect(read({ mirrorCount: 3, showProposals: true })).toEqual({ mirrorCount: 3, showProposals: true })
  expect(read({ mirrorCount: '3' })).toMatchObject({
    status: 400,
    param: 'aft.mirrorCount',
    message: 'aft.mirrorCount: expected a whole number from 2, got "3"',
  })
  expect(read({ mirrors: 3 })).toMatchObject({
    status: 400,
    message: 'aft.mirrors: the name is now mirrorCount',
  })
})

test('a new option is checked in the API, and is in the docs', () => {
  expect(() => checkOptions({ mirrorCount: 2 }, table)).not.toThrow()
  expect(thrownBy(() => checkOptions({ mirrorCount: 0.5 }, table))).toMatchObject({
    param: 'mirrorCount',
    message: 'expected `mirrorCount` to be a whole number from 2, got 0.5',
  })
  expect(renderOptions(table)).toContain('| `--mirror-count` | mirrors of each proposal | from 2 | 4 |\n')
})

const sampleOf = (kind: OptionKind) => {
  if (kind.type === 'choice') return kind.of[0]
  const plain = {
    whole: 9,
    number: 0.5,
    switch: true,
    engine: 'm',
    engines: ['m'],
    variable: 'A_KEY',
    file: 'f',
    panel: 'step',
    schema: 'f',
  }
  return { ...plain, address: 'http://a/v1', headers: { 'x-team': 'a' }, fields: { a: 1 } }[kind.type]
}

test('every option of the table is a flag, may stand in a config and in a request, and has help', () => {
  const flags = addAnswerFlags(new Command('ask')).options.map((option) => option.attributeName())
  for (const [name, { kind, help }] of Object.entries(planOptions)) {
    const value = sampleOf(kind)
    expect(flags).toContain(name)
    expect(help).toMatch(/^[a-z].*[^.]$/)
    expect(checkConfig({ defaults: { [name]: value } })).toEqual({ defaults: { [name]: value } })
    // A request says its schema in the field that its API has for it.
    if (name !== 'schema') expect(parseBody(makeAftSchema(), { [name]: value })).toEqual({ [name]: value })
  }
})

/** The commands that open engines. */
const opening = [
  'ask',
  'run',
  'serve',
  'eval gsm8k',
  'eval ifeval',
  'eval mt-bench',
  'eval alpaca-eval',
  'eval harness',
]
opening.push('analyze scaling', 'data propose', 'data label')

test.each(Object.entries<EngineOptionSpec>(engineOptions))(
  'the setting %s of an engine may stand in a config and in the API, is in the docs, and is a flag of every command that opens engines',
  async (name, { kind, help, hasNoFlag, readBy }) => {
    const value = sampleOf(kind)
    const config = (given: unknown) => ({ engines: { mine: { model: 'm', [name]: given } } })
    expect(checkConfig(config(value))).toEqual(config(value))
    expect(() => checkConfig(config([0]))).toThrow(`engines.mine.${name}: expected `)
    const opened = openEngine('scripted:echo', { [name]: value })
    if (readBy) await expect(opened).rejects.toThrow(`\`${name}\`: only for embedded models`)
    else expect(await opened).toHaveProperty('id')
    await expect(openEngine('scripted:echo', { [name]: [0] })).rejects.toMatchObject({ param: name })
    expect(renderSettings()).toContain(`| ${help} |`)
    for (const command of opening) {
      const words = command.split(' ')
      let found: Command | undefined = await makeProgram(words)
      for (const word of words) found = found?.commands.find((one) => one.name() === word)
      const isFlag = found?.options.some((option) => !option.hidden && option.attributeName() === name)
      expect([command, isFlag]).toEqual([command, !hasNoFlag])
    }
  },
)

test('a wrong name of a variable is not repeated, because it may be a key', async () => {
  const wrong = openEngine('scripted:echo', { apiKeyEnv: 'correct-horse-battery' })
  await expect(wrong).rejects.toThrow(
    /^expected `apiKeyEnv` to be the name of an environment variable, in capitals$/,
  )
})
