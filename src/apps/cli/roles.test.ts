/** Roles of a preset on the command line: at a real server, in the journal, and with one engine that is down. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'
import { model, refuse, startFixture } from '../../engines/openai/openai.fixture.ts'

/** A folder with a config whose preset names two models of one server; `down` answers nothing. */
async function setUp() {
  const cwd = mkdtempSync(join(tmpdir(), 'aft-roles-'))
  const answer = model()
  const fixture = await startFixture((asked) =>
    asked.body.model === 'down' ? refuse(503, 'out of order')(asked) : answer(asked),
  )
  onTestFinished(fixture.close)
  const config = `
engines:
  down: { model: down, baseURL: "${fixture.baseURL}", maxRetries: 0 }
  up: { model: up, baseURL: "${fixture.baseURL}" }
presets:
  two:
    proposers:
      - { engine: down, n: 2, temperature: 0.3, fallbacks: [up] }
      - { engine: up, maxTokens: 7 }
    aggregators: [{ engine: up, reasoning: high, fallbacks: [down] }]
`
  writeFileSync(join(cwd, 'aft.config.yaml'), config)
  const sent = () =>
    fixture.asked.map(({ body: { model: name, n = 1, temperature, max_tokens, reasoning_effort } }) =>
      JSON.parse(JSON.stringify({ name, n, temperature, max_tokens, reasoning_effort })),
    )
  return { cwd, sent }
}

const FELL_BACK = 'layer 1: 2 completions fell back from down to up (server)'

test('each voice has its own settings, and the result says which engine stood in for which', async () => {
  const { cwd, sent } = await setUp()
  const { code, stdout, stderr } = await aft(['ask', 'Why?', '--preset', 'two', '--json'], { cwd })
  expect({ code, result: JSON.parse(stdout) }).toMatchObject({
    code: 0,
    result: { degraded: false, warnings: [FELL_BACK] },
  })
  expect(stderr).toContain(`warning: ${FELL_BACK}\n`)
  expect(sent().filter(({ name }) => name === 'down')).toEqual([{ name: 'down', n: 2, temperature: 0.3 }])
  expect(sent().filter(({ name }) => name === 'up')).toEqual(
    expect.arrayContaining([
      { name: 'up', n: 2, temperature: 0.3 },
      { name: 'up', n: 1, max_tokens: 7 },
      { name: 'up', n: 1, reasoning_effort: 'high' },
    ]),
  )
})

test('the journal has them, and a run with others is not resumed', async () => {
  const { cwd, sent } = await setUp()
  writeFileSync(join(cwd, 'p.jsonl'), '{"prompt":"Why?"}\n')
  const run = (...flags: string[]) =>
    aft(['run', 'p.jsonl', '-o', 'a.jsonl', '--preset', 'two', ...flags], { cwd })
  const { code, stderr } = await run()
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`warning: ${FELL_BACK}`),
  })
  const lines = readFileSync(join(cwd, 'a.jsonl.journal'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines[0].plan.layers[0].voices).toEqual([
    { engine: 'down', n: 2, sampling: { temperature: 0.3 }, fallbacks: ['up'] },
    { engine: 'up', n: 1, sampling: { maxTokens: 7 } },
  ])
  expect(lines.filter((line) => line.fellBack)).toMatchObject([
    { engine: 'up', fellBack: { from: 'down', because: 'server' } },
    { engine: 'up', fellBack: { from: 'down', because: 'server' } },
  ])
  const count = sent().length
  expect((await run()).code).toBe(0)
  const other = await run('--temperature', '0.5')
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('sampling.temperature') })
  expect(sent()).toHaveLength(count)
})
