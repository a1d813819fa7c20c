import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { makeProgram } from './main.ts'
import { removed } from './removed.ts'

describe.each(removed)('aft $of $flag', ({ of, flag, now }) => {
  const words = (of || 'run').split(' ')

  test('is an error that says what to do now', async () => {
    const program = await makeProgram(words)
    const parsed = program.parseAsync([...words, flag, 'x'], { from: 'user' })
    await expect(parsed).rejects.toThrow(new UsageError(`${flag}: ${now}`))
  })

  test('is not in the help, and the flags that its error names are', async () => {
    let command: Command = await makeProgram(words)
    for (const word of words) command = command.commands.find((c) => c.name() === word) as Command
    const help = command.helpInformation()
    expect(help).not.toMatch(new RegExp(`${flag} `))
    for (const [name] of now.split(';')[0]?.matchAll(/--[a-z-]+/g) ?? []) expect(help).toContain(name)
  })
})
