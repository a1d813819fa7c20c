import { randomUUID } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-ask-'))

/** Saves a script and returns the engine's name. `aggregated` are the replies of those that see proposals. */
function script(replies: unknown[], aggregated?: unknown[]): string {
  const file = join(folder, `script-${randomUUID()}.json`)
  const rules = [...(aggregated ? [{ when: 'Drafts:', replies: aggregated }] : []), { replies }]
  writeFileSync(file, JSON.stringify({ rules }))
  return `scripted:${file}`
}

test('piped, only the answer goes to standard output', async () => {
  const model = script(['Because.\n\nReally  '])
  expect(await aft(['ask', 'Why?', '--model', model, '--no-progress'])).toEqual({
    code: 0,
    signal: null,
    stdout: 'Because.\n\nReally  \n',
    stderr: '',
  })
})

test('piped, standard error gets a line per stage', async () => {
  const model = script(['One.', 'Two.', 'Three.'], ['Four.', 'Five.', 'Six.'])
  const ask = async (...flags: string[]) =>
    (await aft(['ask', 'Why?', '--model', model, ...flags])).stderr.replaceAll(model, 'M').split('\n')
  const done = (completions: number, calls: number) =>
    expect.stringMatching(
      `^done: ${completions} completions? in ${calls} calls?, \\d+ tokens?, \\d+\\.\\d s$`,
    )
  expect(await ask('--width', '3', '--depth', '2')).toEqual([
    'proposing: 3 drafts with M',
    'aggregating: 3 drafts with M',
    'aggregating: the answer with M',
    done(7, 3),
    '',
  ])
  expect(await ask('--strategy', 'single')).toEqual(['answering with M', done(1, 1), ''])
  expect(await ask('--json')).toEqual([''])
})

test.each([
  [['ask'], 'without an argument'],
  [['ask', '-'], 'for a dash'],
])('the prompt comes from standard input %#', async (args) => {
  const { stdout } = await aft([...args, '--model', 'scripted:echo', '--json'], { input: 'Why so?\n' })
  expect(JSON.parse(stdout).layers[0].completions[0].text).toMatch(/Why|so\?/)
})

test('an argument wins over standard input, and `ask` does not wait for that', async () => {
  const { stdout } = await aft(['ask', 'apple', '--model', 'scripted:echo'], { input: 'pear' })
  expect(stdout).toContain('apple')
  expect(stdout).not.toContain('pear')
})

test('words without quotes are one prompt', async () => {
  const { stdout } = await aft(['ask', 'one', 'two', '--model', 'scripted:echo', '--json', '--width', '9'])
  const texts = JSON.parse(stdout).layers[0].completions.map((c: { text: string }) => c.text)
  expect(texts.join(' ')).toMatch(/one.*two|two.*one/)
})

test('--json prints one object with everything that was made', async () => {
  const { stdout } = await aft([
    ...['ask', 'Why?', '--model', 'scripted:echo', '--preset', 'paper', '--seed', '7', '--json'],
  ])
  const result = JSON.parse(stdout)
  expect(Object.keys(result).sort()).toEqual([
    'answer',
    'attribution',
    'degraded',
    'finishReason',
    'from',
    'layers',
    'ms',
    'plan',
    'template',
    'usage',
  ])
  expect(result.layers.map((layer: { completions: unknown[] }) => layer.completions.length)).toEqual([
    5, 5, 1,
  ])
  expect(result.layers[0].completions[4]).toMatchObject({
    index: 4,
    engine: 'scripted:echo',
    finishReason: 'stop',
    ms: 0,
    text: expect.any(String),
    seed: expect.any(Number),
    usage: { calls: 0, inputTokens: 2, outputTokens: expect.any(Number) },
  })
  expect(result.usage).toMatchObject({
    calls: 3,
    inputTokens: expect.any(Number),
    prefilledTokens: expect.any(Number),
  })
  expect(result.plan).toMatchObject({ strategy: 'aft', seed: 7 })
  expect(result.template).toEqual({ id: 'aft-1', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
})

test('the seed is random, and the printed one repeats the answer', async () => {
  const ask = async (...more: string[]) => {
    const { stdout } = await aft(['ask', 'Why?', '--model', 'scripted:echo', '--json', ...more])
    return JSON.parse(stdout)
  }
  const [first, second] = [await ask(), await ask()]
  expect(first.plan.seed).not.toBe(second.plan.seed)
  const again = await ask('--seed', String(first.plan.seed))
  expect(again).toEqual(first)
})

test('--events prints what happens line by line, the result last', async () => {
  const { stdout } = await aft([
    'ask',
    'Why?',
    '--model',
    'scripted:echo',
    '--strategy',
    'single',
    '--events',
  ])
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events[0]).toEqual({ type: 'layer-start', layer: 0, width: 1, isLast: true })
  const deltas = events.filter((e) => e.type === 'completion-delta').map((e) => e.text)
  expect(events.at(-1)).toMatchObject({ type: 'answer', result: { answer: deltas.join('') } })
})

test('hostile text stays exact in a pipe and is escaped in JSON', async () => {
  const hostile = '\x1b]0;owned\x07 \x9b31m \u202Ereversed'
  const model = script([hostile])
  expect((await aft(['ask', 'Why?', '--model', model])).stdout).toBe(`${hostile}\n`)
  const { stdout } = await aft(['ask', 'Why?', '--model', model, '--json'])
  expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
  expect(JSON.parse(stdout).answer).toBe(hostile)
})

test('what an error quotes cannot drive the terminal', async () => {
  const model = script([{ error: { kind: 'server', message: '\x1b[2J gone' } }])
  const { stderr, code } = await aft(['ask', 'Why?', '--model', model])
  expect(stderr).toContain('␛[2J gone')
  expect(code).toBe(1)
})

test('standard error says that an answer is degraded', async () => {
  const model = script(['Fine.', { error: { kind: 'timeout', message: 'slow' } }], ['Better.'])
  const args = ['ask', 'Why?', '--model', model, '--width', '2', '--depth', '1']
  const { stdout, stderr, code } = await aft(args)
  expect(stdout).toBe('Better.\n')
  expect(stderr).toMatch(
    /^proposing.*\naggregating.*\ndone.*\ndegraded: layer 1: completion \d is missing \(timeout\)\n$/,
  )
  expect(code).toBe(0)
})

test.each([
  [['ask', 'x', '--width', '0'], /--width: expected a whole number from 1, got "0"/],
  [['ask', 'x', '--width', 'five'], /--width: expected a whole number from 1, got "five"/],
  [['ask', 'x', '--depth=-1'], /--depth: expected a whole number from 0, got "-1"/],
  [['ask', 'x', '--temperature', '9'], /--temperature: expected a number from 0 to 5, got "9"/],
  [['ask', 'x', '--bogus'], /aft ask has no flag --bogus; aft ask --help lists the flags/],
  [['ask', 'x', '--strategy', 'best'], /--strategy: expected one of aft, moa.*got "best"/],
  [['ask', 'x', '--steps', '3'], /--steps is for --strategy rsa, not for aft/],
  [['ask', 'x', '--model', 'smollm'], /unknown engine "smollm".*smollm2/],
  [['ask', 'x', '--grace-ms', '3', '--model', 'scripted:echo'], /--grace-ms needs --quorum/],
  [['ask', 'x', '--strategy', 'moa', '--model', 'scripted:echo'], /name them with --proposers A,B/],
  [['ask', 'x', '--template', 'none.json'], /none.json: there is no such file or folder/],
  [['ask', 'x', '--config', 'none.ts'], /none.ts: there is no such file; expected a config/],
  [['ask', 'x', '--model', 'src'], /src is a folder, but has no model that `aft train` trained/],
  [['ask', 'x', '--model', 'smollm2', '--lora', 'none.gguf'], /--lora none.gguf: there is no such file/],
  [['ask', ' '], /expected a prompt, such as .*, got nothing/],
  [['asj', 'x'], /aft has no command "asj"; did you mean ask\?/],
  [['ask', 'x', '--width', `sk-${'x'.repeat(16)}`], /--width: .* got "\[hidden\]"/],
  [['ask', 'x', '--model', 'http://me:pass@host/v1#m'], /\/\/\[hidden\]@host\/v1#m: .* no key or password/],
  [['ask', 'x', '--proposers', 'a,https://host/v1?key=abc#m'], /\?key=\[hidden\]#m: .* no key or password/],
  [[], /Usage: aft/],
])('wrong usage gives one or two lines and exit code 2: %j', async (args, message) => {
  const { code, stdout, stderr } = await aft(args)
  expect(stderr).toMatch(message)
  expect(stderr).not.toContain('    at ')
  expect(stdout).toBe('')
  expect(code).toBe(2)
})

test('with --json a wrong flag is an object, too', async () => {
  const { code, stdout } = await aft(['ask', 'Why?', '--json', '--width', 'five'])
  const message = '--width: expected a whole number from 1, got "five"'
  expect({ code, stdout: JSON.parse(stdout) }).toEqual({
    code: 2,
    stdout: { error: { kind: 'usage', message } },
  })
})

test('if an engine fails the exit code is 1, and with --json the reason is an object', async () => {
  const model = script([
    { error: { kind: 'auth', message: 'Bearer sk-secret-secret-1234 is wrong', status: 401 } },
  ])
  const { code, stdout, stderr } = await aft(['ask', 'Why?', '--model', model, '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'auth', status: 401 } })
  expect(stderr).toMatch(/^error: .*\[hidden\] is wrong\n$/)
  expect(stdout + stderr).not.toContain('sk-secret')
})

test('AFT_DEBUG=1 shows where an error comes from', async () => {
  const { stderr } = await aft(['ask', ' '], { env: { AFT_DEBUG: '1' } })
  expect(stderr).toMatch(/UsageError: expected a prompt.*\n +at /)
})

test('the error of a wrong template file names the field, and the exit code is 1', async () => {
  const file = join(folder, 'template.json')
  writeFileSync(file, '{"id": "mine"}')
  const { code, stderr } = await aft(['ask', 'Why?', '--model', 'scripted:echo', '--template', file])
  expect(stderr).toBe(`error: ${file}: \`proposerSystem\`: expected text, got nothing\n`)
  expect(code).toBe(1)
})

test('a config gives defaults, flags win, and a model given by flag is for every role', async () => {
  writeFileSync(
    join(folder, 'aft.config.json'),
    JSON.stringify({
      engines: { mine: 'scripted:echo' },
      defaults: { proposers: ['mine'], width: 2, depth: 1 },
    }),
  )
  const ask = async (...more: string[]) => {
    const { stdout } = await aft(['ask', 'Why?', '--json', ...more], { cwd: folder })
    return JSON.parse(stdout).layers.map((layer: { completions: { engine: string }[] }) =>
      layer.completions.map((c) => c.engine),
    )
  }
  expect(await ask()).toEqual([['mine', 'mine'], ['mine']])
  expect(await ask('--width', '1', '--model', 'scripted:echo')).toEqual([
    ['scripted:echo'],
    ['scripted:echo'],
  ])
})

test('Ctrl-C aborts the calls and ends with 130', async () => {
  const model = script([{ text: 'never', delayMs: 60_000 }])
  const { code, signal, stdout, stderr } = await aft(['ask', 'Why?', '--model', model, '--events'], {
    during: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
  })
  const cost = expect.stringMatching(
    /^stopped after \d+\.\d s: 0 of \d+ completions, (about )?\d+ tokens? written\n$/,
  )
  expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: cost })
  expect(stdout).toContain('"kind":"aborted"')
})

test('it is no error if the reader of the output stops', async () => {
  const model = script([{ text: 'word '.repeat(2000), delayMs: 1 }])
  const { code, stderr } = await aft(['ask', 'Why?', '--model', model, '--events'], {
    during: (child) => child.stdout?.once('data', () => child.stdout?.destroy()),
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
