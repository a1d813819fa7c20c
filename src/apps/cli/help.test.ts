import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { commandNames, makeProgram } from './main.ts'

const order = ['Output:', 'Models:', 'Plan:', 'Sampling:', 'Stragglers:', 'Engines:', 'Run:', 'Help:']

async function findCommands(): Promise<[path: string, command: Command][]> {
  const found: [string, Command][] = []
  const add = (command: Command, path: string) => {
    found.push([path, command])
    for (const nested of command.commands) add(nested, `${path} ${nested.name()}`)
  }
  for (const name of commandNames) {
    const command = (await makeProgram([name])).commands.find((known) => known.name() === name)
    add(command as Command, name)
  }
  return found
}

describe.each(await findCommands())('the help of aft %s', (_, command) => {
  const text = command.helpInformation()

  test('has its headings in the order of all, its own before the shared ones', () => {
    const headings = [...text.matchAll(/^\S.*:$/gm)].map(([heading]) => heading)
    const shared = headings.filter((heading) => order.includes(heading))
    expect(shared).toEqual(order.filter((heading) => shared.includes(heading)))
    expect(headings.at(-1)).toMatch(/^(Help|Commands):$/)
  })

  test('is at most 80 wide', () => {
    expect(text.split('\n').filter((line) => line.length > 80 && !line.includes('http'))).toEqual([])
  })

  test('says what a command does in a sentence, and of a flag in a phrase', () => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/)
    const flags = command.options.filter((option) => !option.hidden)
    const phrases = [...flags, ...command.registeredArguments].map(({ description }) => description)
    expect(phrases.filter((phrase) => !/^([^A-Z]|[A-Z]{2}|Python |CPU ).*[^.]$/.test(phrase))).toEqual([])
  })
})
