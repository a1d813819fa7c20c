import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineErrorKind } from '../core/provider/errors.ts'
import { echo, type Script, scriptedEngine } from '../engines/scripted/scripted.ts'
import { makePlan } from '../plans/strategies.ts'
import { type RunOptions, runPrompts } from './run.ts'

let folder: string
let out: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-'))
  out = join(folder, 'answers.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const makePrompts = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `p${i}`,
    messages: [{ role: 'user' as const, content: `question ${i}` }],
  }))

function run(script: Script, more: Partial<RunOptions> = {}) {
  const engine = scriptedEngine(script)
  const options = { prompts: makePrompts(3), out, plan: makePlan({ proposers: ['s'], width: 2, depth: 1 }) }
  return { engine, summary: runPrompts({ ...options, engines: { s: engine }, ...more }) }
}
const answers = () =>
  readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const records = () =>
  readFileSync(`${out}.journal`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const fail = (kind: EngineErrorKind) => ({ error: { kind, message: `scripted ${kind}` } })
const isAbout = (request: Parameters<typeof echo>[0], text: string) =>
  JSON.stringify(request.messages).includes(text)

test("a row's own settings hold in every layer of its prompt, and a change of them is a change of the prompt", async () => {
  const prompts = join(folder, 'prompts.jsonl')
  const write = (temperature: number) =>
    writeFileSync(
      prompts,
      `{"id":"own","prompt":"own","temperature":${temperature},"max_tokens":5,"seed":3,"system":"s"}\n{"prompt":"plain"}`,
    )
  write(0)
  const asked: Parameters<typeof echo>[0][] = []
  const { engine, summary } = run(
    (request) => {
      asked.push(request)
      return 'x'
    },
    { prompts },
  )
  await summary
  const own = asked.filter((request) => isAbout(request, 'own'))
  expect(own.map(({ sampling }) => [sampling.temperature, sampling.maxTokens])).toEqual([
    [0, 5],
    [0, 5],
    [0, 5],
  ])
  expect(own.every(({ messages }) => JSON.stringify(messages[0]).includes('s'))).toBe(true)
  const plain = asked.filter((request) => isAbout(request, 'plain'))
  expect(plain.map(({ sampling }) => sampling.temperature)).not.toContain(0)
  write(0.5)
  const again = runPrompts({
    prompts,
    out,
    plan: makePlan({ proposers: ['s'], width: 2, depth: 1 }),
    engines: { s: engine },
  })
  await expect(again).rejects.toThrow(/the prompt "own" is not the one that/)
})

test('engines may leave out deltas: nothing reads them', async () => {
  const { engine, summary } = run(echo)
  await summary
  expect(engine.requests.length).toBeGreaterThan(0)
  expect(engine.requests.every((request) => request.endsOnly)).toBe(true)
})

describe('answers', () => {
  test('stand one a line in the order of the prompts, whichever ended first', async () => {
    const slowest = { text: 'late', delayMs: 30 }
    const { summary } = run((request) => (isAbout(request, 'question 0') ? slowest : 'early'))
    expect((await summary).outcome).toBe('done')
    expect(answers()).toEqual(
      ['late', 'early', 'early'].map((answer, i) => ({
        id: `p${i}`,
        answer,
        finishReason: 'stop',
        degraded: false,
        usage: {
          calls: 2,
          inputTokens: expect.any(Number),
          prefilledTokens: expect.any(Number),
          outputTokens: 3,
        },
        ms: 0,
      })),
    )
  })

  test('tell what they lack', async () => {
    const { progress } = await run((_, index) => (index === 1 ? fail('server') : 'x')).summary
    expect(progress).toMatchObject({ answered: 3, degraded: 3 })
    expect((await run(echo).summary).progress).toMatchObject({ answered: 3, degraded: 3, madeNow: 0 })
    expect(answers()[0]).toMatchObject({
      degraded: true,
      degradedBecause: ['layer 1: completion 2 is missing (server)'],
    })
  })

  test("are the benchmark's array where that is asked, without the prompts that failed", async () => {
    const prompts = makePrompts(3).map((prompt) => ({ ...prompt, dataset: 'koala' }))
    const script: Script = (request) => (isAbout(request, 'question 1') ? fail('refused') : 'yes')
    await run(script, { prompts, format: 'alpaca-eval', generator: 'me' }).summary
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(
      [0, 2].map((i) => ({ dataset: 'koala', instruction: `question ${i}`, output: 'yes', generator: 'me' })),
    )
  })

  test('of an earlier file stay as they are until all prompts were tried', async () => {
    writeFileSync(out, 'earlier')
    const stop = AbortSignal.abort('stop')
    expect((await run(echo, { signal: stop }).summary).outcome).toBe('interrupted')
    expect(readFileSync(out, 'utf8')).toBe('earlier')
  })
})

describe('a prompt that fails', () => {
  const script: Script = (request) => (isAbout(request, 'question 1') ? fail('context-overflow') : 'yes')

  test('is a record with its reason, and the others go on', async () => {
    const { failures, progress } = await run(script).summary
    expect(answers().map((a) => a.answer ?? a.error.kind)).toEqual(['yes', 'context-overflow', 'yes'])
    expect(answers()[1]).toEqual({
      id: 'p1',
      error: {
        kind: 'context-overflow',
        message: 'no proposal is left: scripted context-overflow',
        engine: 's',
      },
    })
    expect(failures).toMatchObject([{ id: 'p1', count: 1, error: { kind: 'context-overflow' } }])
    expect(progress).toMatchObject({ answered: 2, failed: 1 })
  })

  test('is tried again by the next run, and only that', async () => {
    await run(script).summary
    const { engine, summary } = run(echo)
    expect(await summary).toMatchObject({ outcome: 'done', progress: { answered: 3, failed: 0 } })
    expect(engine.requests.every((request) => isAbout(request, 'question 1'))).toBe(true)
    expect(answers().every((a) => a.answer)).toBe(true)
  })

  test('is no answer of an aggregator that was shown errors', async () => {
    await run(() => fail('server')).summary
    expect(answers().map((a) => a.error.kind)).toEqual(['server', 'server', 'server'])
  })
})

describe('reasons that the next prompt will not escape', () => {
  test.each(['auth', 'billing', 'not-found', 'unreachable'] as const)(
    '%s: five in a row end the run',
    async (kind) => {
      const { engine, summary } = run(() => fail(kind), { prompts: makePrompts(50), active: 1 })
      expect(await summary).toMatchObject({ outcome: 'hopeless', progress: { answered: 0, failed: 5 } })
      expect(engine.requests).toHaveLength(5)
      expect(existsSync(out)).toBe(false)
    },
  )

  test('an answer between them counts from nothing again', async () => {
    const script: Script = (request) =>
      /question \d*[05]"/.test(JSON.stringify(request.messages)) ? 'yes' : fail('auth')
    const { summary } = run(script, { prompts: makePrompts(20), active: 1 })
    expect(await summary).toMatchObject({ outcome: 'done', progress: { answered: 4, failed: 16 } })
  })

  test.each(['auth', 'billing', 'not-found'] as const)(
    '%s of one engine: five answers in a row that lack it end the run',
    async (kind) => {
      const plan = makePlan({ proposers: ['s'], aggregators: ['t'], width: 2, depth: 1 })
      const engines = { s: scriptedEngine(echo), t: scriptedEngine(() => fail(kind)) }
      const { summary } = run(echo, { plan, engines, prompts: makePrompts(50), active: 1 })
      expect(await summary).toMatchObject({
        outcome: 'hopeless',
        reason: { kind, message: `scripted ${kind}` },
        progress: { answered: 5, degraded: 5 },
      })
    },
  )

  test('all prompts that failed of five that there are is no reason to keep their records back', async () => {
    const { summary } = run(() => fail('auth'), { prompts: makePrompts(5), active: 1 })
    expect(await summary).toMatchObject({ outcome: 'done', progress: { failed: 5 } })
    expect(answers()).toHaveLength(5)
  })

  test('other failures do not end it', async () => {
    const { summary } = run(() => fail('rate-limit'), { prompts: makePrompts(20) })
    expect(await summary).toMatchObject({ outcome: 'done', progress: { failed: 20 } })
  })

  test('a request that an engine cannot take is the failure of its prompt; five in a row end the run', async () => {
    const script: Script = (request, index) =>
      isAbout(request, 'question 1') ? undefined : echo(request, index)
    const { failures } = await run(script).summary
    expect(failures).toMatchObject([{ id: 'p1', error: { kind: 'usage' } }])
    const { summary } = run(() => undefined, { prompts: makePrompts(50), active: 1, restart: true })
    expect(await summary).toMatchObject({ outcome: 'hopeless', reason: { kind: 'usage' } })
  })
})

describe('an interrupted run', () => {
  test('keeps what was finished, and the next asks for the rest only', async () => {
    const stop = new AbortController()
    let ends = 0
    const onProgress = () => ++ends === 4 && stop.abort('stop')
    const first = run(echo, { active: 1, signal: stop.signal, onProgress })
    expect(await first.summary).toMatchObject({
      outcome: 'interrupted',
      progress: { answered: 1, madeNow: 3 },
    })
    const second = run(echo)
    await second.summary
    const made = records()
      .filter((record) => record.type === 'completion')
      .map((r) => `${r.prompt} ${r.layer} ${r.index}`)
    expect(new Set(made).size).toBe(made.length)
    expect(made).toHaveLength(9)
    expect(answers()).toHaveLength(3)
  })

  test('asks nothing again once all is answered', async () => {
    await run(echo).summary
    const before = readFileSync(out)
    rmSync(out)
    const { engine, summary } = run(echo)
    await summary
    expect(engine.requests).toEqual([])
    expect(readFileSync(out)).toEqual(before)
  })
})

describe('a journal', () => {
  const plan = (width: number) => makePlan({ proposers: ['s'], width, depth: 1 })

  test('begins with its plan, template and engines', async () => {
    await run(echo).summary
    expect(records()[0]).toMatchObject({
      type: 'header',
      version: 1,
      plan: plan(2),
      template: { id: 'aft-2', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      engines: { s: 'scripted' },
    })
  })

  test('of another plan, template or engine is refused with the difference shown', async () => {
    await run(echo).summary
    await expect(run(echo, { plan: plan(3) }).summary).rejects.toThrow(
      /was begun with other settings:\n {2}plan\.layers\[0\]\.voices\[0\]\.n: the journal has 2, now it is 3\nRun with .*--restart/,
    )
    const engines = { s: scriptedEngine(echo, { id: 'other' }) }
    await expect(run(echo, { engines }).summary).rejects.toThrow(
      /engines\.s: the journal has "scripted", now it is "other"/,
    )
  })

  test('is put aside by a restart', async () => {
    await run(echo).summary
    const { engine, summary } = run(echo, { plan: plan(3), restart: true })
    await summary
    expect(engine.requests).toHaveLength(6)
    expect(existsSync(`${out}.journal.old`)).toBe(true)
  })

  test('refuses a prompt that changed under its id before anything is asked', async () => {
    await run(echo).summary
    const prompts = makePrompts(4).map((prompt, i) => (i === 2 ? { ...prompt, messages: [] } : prompt))
    const { engine, summary } = run(echo, { prompts })
    await expect(summary).rejects.toThrow(/the prompt "p2" is not the one that .*\.journal holds/)
    expect(engine.requests).toEqual([])
  })

  test('takes more prompts, and leaves out those that are asked for no more', async () => {
    await run(echo).summary
    const { engine, summary } = run(echo, { prompts: makePrompts(5).slice(1) })
    const { made, completions } = (await summary).progress
    expect(made).toBe(completions)
    expect(engine.requests).toHaveLength(4)
    expect(answers().map((a) => a.id)).toEqual(['p1', 'p2', 'p3', 'p4'])
  })

  test('serves one run at a time', async () => {
    const stop = new AbortController()
    const first = run(() => ({ text: 'x', delayMs: 60_000 }), { signal: stop.signal })
    await new Promise((resolve) => setImmediate(resolve))
    await expect(run(echo).summary).rejects.toThrow(/answers\.jsonl\.journal: is in use by another process/)
    stop.abort('stop')
    expect((await first.summary).outcome).toBe('interrupted')
  })

  test('with a corrupt line in the middle is refused with the line', async () => {
    await run(echo).summary
    const lines = readFileSync(`${out}.journal`, 'utf8').split('\n')
    writeFileSync(`${out}.journal`, lines.with(2, (lines[2] as string).slice(0, 40)).join('\n'))
    await expect(run(echo).summary).rejects.toThrow(/answers\.jsonl\.journal:3: expected one JSON value/)
    writeFileSync(`${out}.journal`, lines.with(2, '{"type":"completion","prompt":"p0"}').join('\n'))
    await expect(run(echo).summary).rejects.toThrow(
      /answers\.jsonl\.journal:3: expected a line of a journal; `layer`: /,
    )
  })

  test('is not made of a file that is something else', async () => {
    writeFileSync(`${out}.journal`, 'Dear diary')
    await expect(run(echo).summary).rejects.toThrow(
      /answers\.jsonl\.journal:1: expected the header of a journal/,
    )
    expect(readFileSync(`${out}.journal`, 'utf8')).toBe('Dear diary')
  })
})

describe('wrong prompts', () => {
  test('in a file are found before the first request', async () => {
    const file = join(folder, 'prompts.jsonl')
    writeFileSync(file, '{"prompt":"a"}\n{"prompt":"b"\n')
    const { engine, summary } = run(echo, { prompts: file })
    await expect(summary).rejects.toThrow(/prompts\.jsonl:2: expected JSON: Expected ',' or/)
    expect(engine.requests).toEqual([])
    expect(existsSync(`${out}.journal`)).toBe(false)
  })

  test('are not replaced by their answers', async () => {
    writeFileSync(out, '{"prompt":"a"}\n')
    await expect(run(echo, { prompts: out }).summary).rejects.toThrow(/the answers would replace the prompts/)
    expect(readFileSync(out, 'utf8')).toBe('{"prompt":"a"}\n')
  })

  test('with one id twice are refused', async () => {
    const prompts = [...makePrompts(2), ...makePrompts(1)]
    await expect(run(echo, { prompts }).summary).rejects.toThrow(/two prompts have the id "p0"/)
  })
})

describe('a budget', () => {
  const plan = makePlan({ proposers: ['s'], width: 2, depth: 1, maxTokens: 20 })

  test('starts nothing that could go beyond it, and says so', async () => {
    const { summary, engine } = run(echo, { prompts: makePrompts(9), plan, budget: { maxTokens: 700 } })
    const { outcome, progress } = await summary
    expect(outcome).toBe('held')
    expect(progress.answered).toBeGreaterThan(0)
    expect(progress.answered).toBeLessThan(9)
    const { inputTokens, outputTokens } = progress.spent
    expect(inputTokens + outputTokens).toBeLessThanOrEqual(700)
    expect(engine.requests).toHaveLength(2 * progress.answered)
  })

  test('counts what earlier runs spent, and goes on when it is raised', async () => {
    const budget = { maxTokens: 700 }
    const first = await run(echo, { plan, prompts: makePrompts(9), budget }).summary
    const { progress } = await run(echo, { plan, prompts: makePrompts(9), budget }).summary
    expect(progress.answered).toBe(first.progress.answered)
    expect(
      await run(echo, { plan, prompts: makePrompts(9), budget: { maxTokens: 1e6 } }).summary,
    ).toMatchObject({
      outcome: 'done',
      progress: { answered: 9 },
    })
  })

  test('of cost needs a price', async () => {
    await expect(run(echo, { budget: { maxCost: 1 } }).summary).rejects.toThrow(/that of s is not known/)
    const prices = { s: { inputPerMTok: 1, outputPerMTok: 1 } }
    expect((await run(echo, { budget: { maxCost: 0.001 }, prices }).summary).outcome).toBe('held')
  })
})

test('no prompt waits for another: the last one can be answered while the first is at its first layer', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const script: Script = async (request) => {
    if (isAbout(request, 'question 0')) await released
    return 'yes'
  }
  const onProgress = ({ answered }: { answered: number }) => answered === 2 && release()
  expect(await run(script, { onProgress }).summary).toMatchObject({ progress: { answered: 3 } })
})
