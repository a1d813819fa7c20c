import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { aftHere } from '../../../../test/aft-here.ts'
import { noTerminal, runInTerminal } from '../../../../test/pty.ts'
import { commandWords, describeCommands, readCommand } from './commands.ts'
import { pipedLines } from './lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-chat-'))
writeFileSync(
  join(folder, 's.json'),
  JSON.stringify([
    { when: 'lake', replies: ['A lake lies still.'] },
    { when: 'river', replies: ['A river flows.'] },
    { when: 'slow', replies: [{ text: 'on and '.repeat(400), delayMs: 100 }] },
  ]),
)
const chat = (input: string, ...flags: string[]) =>
  aftHere(['chat', '--model', 'scripted:s.json', '--no-progress', ...flags], { cwd: folder, input })

describe('in a pipe', () => {
  test('each line is a question, each answer a line, and an answer sees what was said before', async () => {
    const { stdout, stderr, code } = await chat(
      'What is a river?\n/save a.json\n/save a.md\nAnd a lake?\n/bye\nriver',
    )
    expect({ stdout, code }).toEqual({ stdout: 'A river flows.\nA lake lies still.\n', code: 0 })
    expect(stderr).toContain('scripted:s.json · aft · width 3, depth 1 · 4 completions per answer')
    const { messages, results } = JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8'))
    expect(messages).toEqual([
      { role: 'user', content: 'What is a river?' },
      { role: 'assistant', content: 'A river flows.' },
    ])
    expect(results[0].layers[0].completions).toHaveLength(3)
    expect(readFileSync(join(folder, 'a.md'), 'utf8')).toBe(
      '# Question\n\nWhat is a river?\n\n# Answer\n\nA river flows.\n',
    )
  })

  test('commands change the next answers; a wrong one is an error that changes nothing, and exit code 1', async () => {
    const { stdout, stderr, code } = await chat(
      '/width 2\n/width 0\n/widht 3\n/model none\n/width default\n/strategy single\nriver\n',
    )
    expect({ stdout, code }).toEqual({ stdout: 'A river flows.\n', code: 1 })
    expect(stderr).toContain('width 2, depth 1 · 3 completions per answer')
    expect(stderr).toContain('error: /width: expected a whole number from 1, got "0"')
    expect(stderr).toContain('error: there is no command /widht; did you mean /width?')
    expect(stderr).toMatch(/error: .*none/)
    expect(stderr).toContain('scripted:s.json · single · width 1, depth 0 · 1 completion per answer')
  })

  test('a question can be taken back, and asked again', async () => {
    const { stdout, stderr } = await chat('/retry\nriver\n/retry\n/undo\n/retry\nlake\n/new\n')
    expect(stdout).toBe('A river flows.\nA river flows.\nA lake lies still.\n')
    expect(stderr.match(/error: there is no question to ask again/g)).toHaveLength(2)
    expect(stderr).toMatch(/The conversation has 0 questions\.\n$/)
  })

  test('a file of somebody else is not replaced', async () => {
    writeFileSync(join(folder, 'mine.md'), 'mine')
    const { stderr, code } = await chat('/save mine.md\n/save x.txt\n/save\n')
    expect(stderr).toMatch(
      /mine.md exists already; .*x.txt: expected a name that ends in .*\/save needs a file/s,
    )
    expect({ code, text: readFileSync(join(folder, 'mine.md'), 'utf8') }).toEqual({ code: 1, text: 'mine' })
  })
})

test('three quotes begin and end a message of several lines, and two slashes one that begins with a slash', async () => {
  const lines = pipedLines(Readable.from(['a\n"""b\nc\n\nd"""\n"""\ne\n"""\n"""open\n']))
  expect([await lines.next(), await lines.next(), await lines.next()]).toEqual(['a', 'b\nc\n\nd', 'e'])
  expect([await lines.next(), await lines.next()]).toEqual(['open', undefined])
  expect(readCommand('//etc')).toEqual({ do: 'say', text: '/etc' })
  expect(() => readCommand('/etc/hosts')).toThrow('expected a command such as /help')
})

test('the list of commands fits a terminal of 80 columns', () => {
  for (const line of describeCommands().split('\n')) expect(line.length, line).toBeLessThan(80)
})

test('every flag of a plan is a command', () => {
  expect(commandWords()).toEqual(
    expect.arrayContaining(['/width ', '/model ', '/temperature ', '/save ', '/bye']),
  )
  expect(readCommand('/temperature 0.3')).toMatchObject({ do: 'set', value: { temperature: 0.3 } })
  expect(readCommand('/strict')).toMatchObject({ do: 'set', value: { strict: true } })
  expect(readCommand('/width default')).toMatchObject({ do: 'unset', flag: 'width' })
})

test.skipIf(noTerminal)(
  'on a terminal Ctrl-C ends an answer and not the chat, and Ctrl-D ends it',
  async () => {
    const command = `cd '${folder}'; '${process.execPath}' '${join(import.meta.dirname, '../../../../bin/aft.js')}' chat --no-history --model scripted:s.json`
    const steps: [when: RegExp, keys: string][] = [
      [/> (\x1b\[\w+)*$/, 'slow\r'],
      [/on and/, '\x03'],
      [/as before\.[^>]*> (\x1b\[\w+)*$/, '/strategy single\r'],
      [/single · width 1[^>]*> (\x1b\[\w+)*$/, 'slow\r'],
      [/single · [\s\S]*answer ─[\s\S]*on/, '\x03'],
      [/keeps this part[^>]*> (\x1b\[\w+)*$/, '\x04'],
    ]
    const type = (raw: string) => (steps[0]?.[0].test(raw) ? steps.shift()?.[1] : undefined)
    const { raw, code } = await runInTerminal(command, { type, env: { NO_COLOR: '1' } })
    expect({ code, steps }).toEqual({ code: 0, steps: [] })
    expect(raw.match(/stopped after/g)).toHaveLength(2)
  },
)
