/** What strangers and accidents can do to a command. SECURITY.md has the promises. */
import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { startFixture } from '../../engines/openai/openai.fixture.ts'
import { canMount, scripted, useRunFolder } from './run-folder.fixture.ts'

const { aft, answers, at, run, writePrompts } = useRunFolder(aftHere)

const mkfifo = (file: string) => void execFileSync('mkfifo', [file])

test('an output that is no file is refused before any call, by every command', async () => {
  writePrompts(1)
  writeFileSync(at('rows.jsonl'), '{"prompt":"a","responses":["b","c"],"target":"d"}\n')
  mkfifo(at('pipe'))
  symlinkSync('circle', at('circle'))
  for (const out of ['/dev/null', '/dev/stdout', '-', '.', '', 'pipe', 'circle']) {
    for (const command of [
      ['run', 'p.jsonl', ...scripted],
      ['data', 'propose', 'p.jsonl', '--model', 'scripted:echo'],
      ['data', 'label', 'rows.jsonl', '--model', 'scripted:echo'],
    ]) {
      const { code, stderr } = await aft([...command, '-o', out])
      expect({ command, out, code }).toEqual({ command, out, code: 2 })
      expect(stderr).toMatch(
        /is a device or a pipe|is not standard output|is a folder|expected the name|in a circle/,
      )
    }
  }
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
  expect(() => lstatSync(at('-'))).toThrow()
})

test('a journal that is a pipe, a device or a circle of links is refused, and not waited for', async () => {
  writePrompts(1)
  mkfifo(at('pipe'))
  symlinkSync('circle', at('circle'))
  for (const target of ['pipe', '/dev/full', '/dev/zero', 'circle']) {
    symlinkSync(target, at('a.jsonl.journal'))
    const { code, stderr } = await run(scripted)
    expect({ target, code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/a\.jsonl\.journal: is a (device or a pipe|link that leads in a circle)/),
    })
    unlinkSync(at('a.jsonl.journal'))
  }
})

test('a link as output stays a link, and its target gets the answers', async () => {
  writePrompts(2)
  writeFileSync(at('real.jsonl'), 'old\n')
  symlinkSync('real.jsonl', at('a.jsonl'))
  expect((await run(scripted)).code).toBe(0)
  expect(lstatSync(at('a.jsonl')).isSymbolicLink()).toBe(true)
  expect(readFileSync(at('real.jsonl'), 'utf8')).toBe(readFileSync(at('a.jsonl'), 'utf8'))
  expect(answers()).toHaveLength(2)
  symlinkSync('later.jsonl', at('new.jsonl'))
  expect((await aft(['run', 'p.jsonl', '-o', 'new.jsonl', ...scripted])).code).toBe(0)
  expect(lstatSync(at('later.jsonl')).isFile()).toBe(true)
})

test.skipIf(!canMount())('a device in the place of the output is still a device', async () => {
  writePrompts(1)
  symlinkSync('/dev/null', at('a.jsonl'))
  expect((await run(scripted)).code).toBe(2)
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
})

test('a key is in no message, journal or answer, in whatever form a server repeats it', async () => {
  writePrompts(1)
  const key = 'zz"secret\\08+15/äö'.replace(/[^ -~]/g, '~')
  const base64 = Buffer.from(key).toString('base64')
  /** As in the header of a user with a password: the key begins within a group of three bytes. */
  const within = ['user:', 'us:'].map((user) => Buffer.from(`${user}${key}`).toString('base64'))
  const forms = [
    key,
    encodeURIComponent(key),
    encodeURIComponent(encodeURIComponent(key)),
    base64,
    base64.replace(/=+$/, ''),
    ...within,
    JSON.stringify(key).slice(1, -1),
    JSON.stringify(key).slice(1, -1).replaceAll('/', '\\/'),
    Buffer.from(key).toString('hex'),
  ]
  const say = (form: string) => `your key ${form} is bad`
  for (const form of forms) {
    for (const [status, body] of [
      [401, { error: { message: say(form) } }],
      [400, { detail: say(form) }],
      [400, say(form)],
      [200, `data: ${say(form)}\n\n`],
      [200, `data: ${JSON.stringify({ error: { message: say(form) } })}\n\n`],
    ] as const) {
      const { baseURL, close } = await startFixture((asked) => asked.refuse(status, body))
      onTestFinished(() => close())
      const flags = ['--model', `${baseURL}#m`, '--width', '1', '--max-retries', '0', '--restart']
      const { code, stderr, stdout } = await run(flags, { env: { OPENAI_API_KEY: key } })
      expect(code).not.toBe(0)
      const written = [
        stderr,
        stdout,
        readFileSync(at('a.jsonl.journal'), 'utf8'),
        readFileSync(at('a.jsonl'), 'utf8'),
      ].join('\n')
      for (const hidden of [...forms, ...within.map((text) => text.slice(8, 20))])
        expect({ status, body, isShown: written.includes(hidden) }).toMatchObject({ isShown: false })
    }
  }
})

test.each([
  ['choices', { choices: 'abc' }],
  ['calls', { choices: [{ index: 0, delta: { tool_calls: 'zzz' } }] }],
  ['a call', { choices: [{ index: 0, delta: { tool_calls: [null] } }] }],
])('%s of a wrong type are a failure of the server, and no answer', async (_, chunk) => {
  writePrompts(1)
  const { baseURL, close } = await startFixture((asked) => {
    asked.send(chunk)
    asked.done()
  })
  onTestFinished(() => close())
  await run(['--model', `${baseURL}#m`, '--strategy', 'single', '--max-retries', '0'])
  const [row] = answers()
  expect(row.error?.kind).toMatch(/server|missing/)
  expect(row.error?.message).not.toMatch(
    /is not iterable|is not a function|Cannot read properties|connection failed/,
  )
})

test('a megabyte without white space is a proposal as any other', async () => {
  writePrompts(1)
  const texts = [
    'a'.repeat(1e6),
    '1,'.repeat(5e5),
    '<'.repeat(1e6),
    '\\boxed{'.repeat(1.4e5),
    'a fine answer',
  ]
  writeFileSync(at('s.json'), JSON.stringify([{ when: 'Drafts', replies: ['The end.'] }, { replies: texts }]))
  const { code, stderr } = await run(['--model', 'scripted:s.json', '--width', '5', '--depth', '1'])
  expect(stderr).not.toContain('call stack')
  expect(code).toBe(0)
  const lines = readFileSync(at('a.jsonl.journal'), 'utf8').trimEnd().split('\n')
  expect(lines.filter((line) => line.startsWith('{"type":"failure"'))).toEqual([])
})

test.each(['--cap-ms', '--grace-ms', '--timeout-ms'])(
  '%s above what a timer can wait is refused',
  async (flag) => {
    writePrompts(1)
    expect(await run([...scripted, '--quorum', '1', flag, '3000000000'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2147483647'),
    })
  },
)

test('a short key of a client is refused without being shown', async () => {
  writeFileSync(at('keys.txt'), 'team: abc1234\n')
  const { code, stderr } = await aft(['serve', '--model', 'scripted:echo', '--client-key-file', 'keys.txt'])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: "error: the client's key team: expected at least 8 characters\n",
  })
})
