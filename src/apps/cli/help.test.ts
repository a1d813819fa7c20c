import type { Command, Option } from 'commander'
import { describe, expect, test } from 'vitest'
import { makeProgram } from './main.ts'

const order = ['Output:', 'Models:', 'Plan:', 'Sampling:', 'Slow completions:', 'Engines:', 'Run:', 'Help:']

async function findCommands(): Promise<[path: string, command: Command][]> {
  const found: [string, Command][] = []
  const add = (command: Command, path: string) => {
    found.push([path, command])
    for (const nested of command.commands) add(nested, `${path} ${nested.name()}`)
  }
  const { commands } = await makeProgram('all')
  for (const command of commands) add(command, command.name())
  return found
}

/** The commands of the lines that start with `$`, each by itself. */
function readExamples(command: Command): string[] {
  let text = ''
  const writeOut = (part: string) => {
    text += part
  }
  command.configureOutput({ writeOut }).outputHelp()
  const lines = text.replaceAll('\\\n', '').match(/(?<=^ {2}\$ ).*$/gm) ?? []
  return lines.flatMap((line) => line.match(/aft [^"|&)]*("[^"]*"[^"|&)]*)*/g) ?? [])
}

async function findCalled(words: string[]): Promise<Command> {
  let called: Command = await makeProgram(words)
  for (const word of words) called = called.commands.find((known) => known.name() === word) ?? called
  return called
}

describe.each(await findCommands())('the help of aft %s', (_, command) => {
  const text = command.helpInformation()

  test('has its headings in the order of all, its own before the shared ones', () => {
    const headings = [...text.matchAll(/^\S.*:$/gm)].map(([heading]) => heading)
    const shared = headings.filter((heading) => order.includes(heading))
    expect(shared).toEqual(order.filter((heading) => shared.includes(heading)))
    expect(headings.at(-1)).toMatch(/^(Help|Commands):$/)
  })

  test('says each default in words or numbers', () => {
    expect(text).not.toMatch(/\[object|undefined|NaN|default: \)/)
  })

  test('is at most 80 wide', () => {
    expect(text.split('\n').filter((line) => line.length > 80 && !line.includes('http'))).toEqual([])
  })

  test('says what a command does in a sentence, and of a flag in a phrase', () => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/)
    const flags = command.options.filter((option) => !option.hidden)
    const phrases = [...flags, ...command.registeredArguments].map(({ description }) => description)
    expect(phrases.filter((phrase) => !/^([^A-Z]|[A-Z]{2}|Python |CPU |LoRA ).*[^.]$/.test(phrase))).toEqual(
      [],
    )
  })

  test('says the range of every number', () => {
    const numbers = command.options.filter(
      ({ flags, hidden }) => !hidden && / <(n|ms|mb|share|dollars)>$/.test(flags),
    )
    const shown = (option: Option) => command.createHelp().optionDescription(option)
    expect(numbers.map(shown).filter((line) => !/\((from \d+|\d+ to \d+|above 0)[;)]/.test(line))).toEqual([])
  })

  test('has an example, and every flag of an example exists', async () => {
    const examples = readExamples(command)
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) {
      const [, line = ''] = /^aft (.*)$/.exec(example) ?? []
      const called = await findCalled(line.split(' '))
      const flags = called.options.flatMap(({ long, hidden }) => (hidden ? [] : [long]))
      for (const [flag] of line.matchAll(/--[a-z-]+/g)) expect(flags, example).toContain(flag)
    }
  })
})

/** Flags whose help says more in some commands. The meaning is the same. */
const reworded = [
  ...[
    'concurrency',
    'depth',
    'dry-run',
    'json',
    'judge',
    'judge-max-tokens',
    'limit',
    'model',
    'output',
    'proposals',
  ],
  ...['python', 'restart', 'seed', 'target', 'target-file'],
]

test('a flag means one thing: its help is the same in every command, or it is in the list', async () => {
  const texts = new Map<string, Set<string>>()
  const values = new Map<string, Set<string>>()
  for (const [, command] of await findCommands()) {
    for (const { long, flags, description, hidden } of command.options) {
      const name = long?.slice(2)
      if (hidden || name === undefined) continue
      texts.set(name, (texts.get(name) ?? new Set()).add(description))
      values.set(name, (values.get(name) ?? new Set()).add(/<.*>/.exec(flags)?.[0] ?? ''))
    }
  }
  const several = (found: Map<string, Set<string>>) =>
    [...found].flatMap(([name, ways]) => (ways.size > 1 ? [name] : [])).sort()
  expect(several(texts)).toEqual(reworded)
  expect(several(values)).toEqual(['output'])
})
