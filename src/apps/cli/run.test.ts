import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'
import { scripted, useRunFolder } from './run-folder.fixture.ts'

const { answers, at, run, writePrompts } = useRunFolder(aft)

test('answers go to the file, and standard error says how the run ended', async () => {
  writePrompts(3)
  const { code, stdout, stderr } = await run(scripted)
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  expect(stderr).toMatch(/^3 of 3 answered: 9 completions, [\d,]+ tokens, 0:0\d\. See a\.jsonl\n$/)
  expect(answers().map((a) => a.id)).toEqual(['0', '1', '2'])
})

test('`aft run --help` explains its own flags, under the headings of all commands', async () => {
  const { stdout, code } = await aft(['run', '--help'])
  expect(code).toBe(0)
  expect(stdout.slice(0, stdout.indexOf('\nModels:'))).toMatchInlineSnapshot(`
    "Usage: aft run [options] <prompts>

    Answer a file of prompts.

    Arguments:
      prompts                   file of JSON lines, a JSON array, CSV or Parquet

    Output:
      -o, --output <file>       file for the answers, one line per prompt (required)
      --output-format <format>  format of the answers; alpaca-eval is one JSON array
                                for that benchmark (jsonl, alpaca-eval; default:
                                jsonl)
      --generator <name>        name of the system in the rows of --output-format
                                alpaca-eval
      --with-prompt             put each prompt into its line of answers; rows of
                                alpaca-eval have it
      --no-progress             show no progress
    "
  `)
  expect(stdout.slice(stdout.indexOf('Run:'), stdout.indexOf('\nHelp:'))).toMatchInlineSnapshot(`
    "Run:
      --shard <i/n>             work on this part of the rows only, such as 1/4: the
                                first quarter; each part has its own -o
      --queue <address>         address of the Redis or Valkey through which any
                                number of \`aft work\` share the work, such as
                                redis://HOST:6379/0
      --run <name>              name of a run in the queue
      --max-cost <dollars>      US dollars to spend at most, earlier runs with this
                                journal included; needs the prices of models in the
                                config (above 0)
      --max-tokens-total <n>    tokens to spend at most, read and written, earlier
                                runs with this journal included (above 0)
      --restart                 begin anew; the old journal is kept, with .old after
                                its name
      --dry-run                 print how many calls, tokens and dollars it takes at
                                most, and ask no model
      --fsync                   wait until the disk has each line, so that a power
                                cut loses nothing; slower
    "
  `)
  expect(stdout.slice(stdout.indexOf('Examples:'))).toMatchInlineSnapshot(`
    "Examples:
      $ aft run prompts.jsonl -o answers.jsonl
      $ aft run prompts.jsonl -o answers.jsonl --model http://127.0.0.1:8000/v1#llama --concurrency 64
      $ aft run prompts.jsonl -o answers.jsonl --model openai:gpt-4.1-mini --dry-run
    "
  `)
  for (const flag of ['--width', '--quorum', '--concurrency', '--template']) expect(stdout).toContain(flag)
})

test('--dry-run prints the most that it can take, opens nothing and writes nothing', async () => {
  writePrompts(3)
  writeFileSync(
    at('aft.config.json'),
    '{"engines":{"gpt":{"model":"openai:gpt","price":{"inputPerMTok":1,"outputPerMTok":10}}}}',
  )
  const { code, stdout } = await run([
    '--model',
    'gpt',
    '--preset',
    'paper',
    '--max-tokens',
    '100',
    '--dry-run',
  ])
  expect(code).toBe(0)
  expect(stdout).toMatchInlineSnapshot(`
    "prompts      3
    calls        9
    completions  33
    tokens in    about 3,729 at most
    tokens out   3,300 at most
    cost         at most $0.0367

    Assumed: a token is 4 bytes of text, each completion is as long as --max-tokens allows, and each request is
    sent once for all its samples. Most runs take far less.
    "
  `)
  expect(() => readFileSync(at('a.jsonl.journal'))).toThrow()
  expect((await run(['--model', 'openai:other', '--dry-run'])).stdout).toMatch(
    /cost +unknown \(no price of openai:other/,
  )
})

test('--max-tokens-total ends the run before it could be exceeded, with exit code 1', async () => {
  writePrompts(9)
  const limited = [...scripted, '--max-tokens', '20', '--max-tokens-total', '700']
  const { code, stderr } = await run(limited)
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^stopped, because the next could exceed the budget \(so far \d+ tokens\): \d of 9 answered; raise it and run/,
  )
  expect((await run([...scripted, '--max-tokens', '20'])).code).toBe(0)
  expect(answers()).toHaveLength(9)
})

test('--max-cost needs a price, and limits the run if there is one', async () => {
  writePrompts(9)
  expect(
    await run(['--model', 'openai:gpt', '--max-cost', '1'], { env: { OPENAI_API_KEY: 'none' } }),
  ).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/a limit of cost needs prices, and that of openai:gpt is not known/),
  })
  writeFileSync(
    at('aft.config.json'),
    '{"engines":{"e":{"model":"scripted:echo","price":{"inputPerMTok":1000,"outputPerMTok":1000}}}}',
  )
  const priced = ['--model', 'e', '--width', '2', '--depth', '1', '--max-tokens', '20', '--max-cost', '0.7']
  const { code, stderr } = await run(priced)
  expect(code).toBe(1)
  expect(stderr).toMatch(/so far \d+ tokens, \$0\.\d+\): [1-8] of 9 answered/)
})

test('--with-prompt puts what was asked into each line: a text, or all turns', async () => {
  const turns = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Why?' },
  ]
  const rows = [{ prompt: 'Why?' }, { messages: turns }]
  writeFileSync(at('p.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  expect((await run([...scripted, '--with-prompt'])).code).toBe(0)
  expect(answers().map((row) => Object.keys(row).slice(0, 3))).toEqual([
    ['id', 'prompt', 'answer'],
    ['id', 'messages', 'answer'],
  ])
  expect(answers()).toMatchObject([{ prompt: 'Why?' }, { messages: turns }])
})

test('--output-format alpaca-eval writes the array of the benchmark', async () => {
  writeFileSync(at('p.jsonl'), '[{"dataset":"koala","instruction":"Why?","output":"old"}]')
  expect((await run([...scripted, '--output-format', 'alpaca-eval', '--generator', 'mine'])).code).toBe(0)
  expect(JSON.parse(readFileSync(at('a.jsonl'), 'utf8'))).toEqual([
    { dataset: 'koala', instruction: 'Why?', output: expect.stringMatching(/^Reply/), generator: 'mine' },
  ])
})

test('prompts that failed are records with their reason, and exit code 1', async () => {
  writePrompts(3)
  writeFileSync(
    at('script.json'),
    JSON.stringify({
      rules: [{ when: 'question 1', replies: [{ error: { kind: 'refused', message: 'I will not' } }] }],
      echo: true,
    }),
  )
  const { code, stderr } = await run(['--model', 'scripted:script.json', '--depth', '0'])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^failed: prompt 1: refused: .*I will not\n2 of 3 answered: .*; run the same command to try the others again\n$/,
  )
  expect(answers()[1]).toMatchObject({ id: '1', error: { kind: 'refused' } })
})

describe('stopped', () => {
  const slow = () => writeFileSync(at('script.json'), '{"echo":true,"delayMs":15}')
  const args = ['--model', 'scripted:script.json', '--width', '2', '--depth', '1']
  const isUnderWay = () => {
    try {
      return readFileSync(at('a.jsonl.journal'), 'utf8').includes('"type":"answer"')
    } catch {
      return false
    }
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s it ends cleanly with %d, and goes on when started again', async (signal, exitCode) => {
    writePrompts(80)
    slow()
    const { code, stderr } = await run(args, {
      during: (child) => {
        const timer = setInterval(() => {
          if (!isUnderWay()) return
          clearInterval(timer)
          child.kill(signal)
        }, 10)
      },
    })
    expect(code).toBe(exitCode)
    expect(stderr).toMatch(
      /^stopped: \d+ of 80 answered, so far \d+ completions, [\d,]+ tokens; run the same command to resume\n$/,
    )
    expect(readFileSync(at('a.jsonl.journal'), 'utf8').endsWith('}\n')).toBe(true)
    writeFileSync(at('script.json'), '{"echo":true}')
    expect((await run(args)).code).toBe(0)
    expect(answers()).toHaveLength(80)
  })

  test('by a second Ctrl-C it ends at once, even if an engine ignores the first, and resumes when it is started again', async () => {
    writePrompts(2)
    writeFileSync(at('script.json'), '{"echo":true}')
    const stuck =
      "async *generate() { writeFileSync('asked', ''); await new Promise(() => setInterval(() => {}, 1000)) }"
    writeFileSync(
      at('aft.config.mjs'),
      `import { writeFileSync } from 'node:fs'\nexport default { engines: { own: () => ({ id: 'own', ${stuck} }) } }`,
    )
    let wasAlive = false
    const { code } = await run(['--model', 'own', '--restart'], {
      during: async (child) => {
        while (!existsSync(at('asked'))) await delay(10)
        child.kill('SIGINT')
        await delay(800)
        wasAlive = child.exitCode === null
        child.kill('SIGINT')
      },
    })
    expect({ code, wasAlive }).toEqual({ code: 130, wasAlive: true })
    expect((await run([...args, '--restart'])).code).toBe(0)
    expect(answers()).toHaveLength(2)
  })
})

test('the parts of a file are together what the whole file is, in its order', async () => {
  writePrompts(7)
  await run(scripted)
  const whole = answers().map(({ id, answer }) => [id, answer])
  const parts = []
  for (const part of ['1/3', '2/3', '3/3']) {
    expect((await run([...scripted, '--shard', part, '-o', 'part.jsonl', '--restart'])).code).toBe(0)
    const rows = readFileSync(at('part.jsonl'), 'utf8').trimEnd().split('\n')
    parts.push(...rows.map((row) => JSON.parse(row)).map(({ id, answer }) => [id, answer]))
  }
  expect(parts).toEqual(whole)
  for (const wrong of ['0/3', '4/3', '1', '1/0'])
    expect(await run([...scripted, '--shard', wrong])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected a part such as 1/4'),
    })
})
