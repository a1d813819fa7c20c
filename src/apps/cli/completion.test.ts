import { execFileSync } from 'node:child_process'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { makeProgram } from './main.ts'

const script = async (shell: string) => (await aftHere(['completion', shell])).stdout

test('in bash it completes commands, subcommands, flags and values, each at its place', async () => {
  const complete = `${await script('bash')}
t() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _aft; echo "\${COMPREPLY[*]}"; }
t aft a; t aft data ""; t aft data build --form; t aft ask --strategy r; t aft ask "a prompt" --wi; t aft ask --width ""; t aft completion -`
  const lines = execFileSync('bash', ['-c', complete], { encoding: 'utf8' }).split('\n')
  expect(lines).toEqual([
    'ask analyze',
    expect.stringMatching(/^propose label build .*--help$/),
    '--format',
    'rsa',
    '--width',
    '',
    '--help',
    '',
  ])
})

test.each([
  [
    'zsh',
    "'ask:Answer one prompt'",
    '/ask:--strategy) compadd -- aft moa rsa self-consistency best-of-n single; return ;;',
  ],
  [
    'fish',
    "-f -a ask -d 'Answer one prompt'",
    "-l strategy -x -a 'aft moa rsa self-consistency best-of-n single'",
  ],
])('in %s it explains them, too', async (shell, command, value) => {
  const text = await script(shell)
  expect(text).toContain(command)
  expect(text).toContain(value)
  expect(text).not.toMatch(/--api-key-file|undefined/)
})

test('no command has a flag without a heading that says what it is about', async () => {
  const program = await makeProgram('all')
  const left: string[] = []
  const walk = (command: Command) => {
    for (const { long, helpGroupHeading } of command.createHelp().visibleOptions(command))
      if (helpGroupHeading === 'Options:') left.push(`${command.name()} ${long}`)
    for (const child of command.commands) walk(child)
  }
  walk(program)
  expect(left).toEqual([])
})

test('another shell is an error that lists those that there are', async () => {
  const { stderr, code } = await aftHere(['completion', 'tcsh'])
  expect({ stderr, code }).toEqual({
    stderr: expect.stringContaining('expected one of bash, zsh, fish'),
    code: 2,
  })
})
