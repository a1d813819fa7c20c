import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { aggregatorMessages } from '../../core/templates.ts'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { defaultTemplate, paperTemplate } from '../../plans/wordings.ts'
import { listenWith, mounts } from './mount.fixture.ts'
import { readEvents, startServer, user } from './server.fixture.ts'
import { createServer } from './server.ts'

const engine = () => scriptedEngine([{ when: /Drafts:/, replies: ['Both.'] }, { replies: ['One.', 'Two.'] }])
const small = { defaults: { width: 2, depth: 1 } }
const json = { method: 'POST', headers: { 'content-type': 'application/json' } }

test('the page has a strict policy, nothing inline and nothing from elsewhere', async () => {
  const { url } = await startServer(engine(), small)
  const response = await fetch(url)
  const html = await response.text()
  const policy = response.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/unsafe|\*|http/)
  expect(html).not.toMatch(/https?:|<style|style=|onload|<script(?![^>]* src=)/)
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file as string)
  expect(files).toEqual(['page/icon.svg', 'page/app.css', 'page/app.js'])
  for (const file of files) {
    const { status, headers } = await fetch(`${url}/${file}`)
    expect([status, headers.get('x-content-type-options')]).toEqual([200, 'nosniff'])
  }
  const licenses = await (await fetch(`${url}/page/licenses.txt`)).text()
  for (const name of ['preact', 'marked', 'dompurify'])
    expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'))
  expect((await fetch(`${url}/page/../../package.json`)).status).toBe(404)
})

test('with keys, the page opens without a key, and its requests need one', async () => {
  const { url } = await startServer(engine(), { ...small, keys: { ann: 'sesame' } })
  expect((await fetch(url)).status).toBe(200)
  expect((await fetch(`${url}/v1/aft`)).status).toBe(401)
  expect((await fetch(`${url}/v1/aft`, { headers: { authorization: 'Bearer sesame' } })).status).toBe(200)
})

test('the offer has models, engines and limits, but no addresses and no path of the file of fixes', async () => {
  const { url } = await startServer(engine(), { ...small, fixes: '/somewhere/fixes.jsonl' })
  const offer = await (await fetch(`${url}/v1/aft`)).json()
  expect(offer).toMatchObject({
    models: ['aft', 'aft-fast', 'paper', 'moa', 'rsa', 'single'],
    engines: ['one'],
    defaults: { strategy: 'aft', width: 2, depth: 1 },
    fixes: true,
  })
  expect(offer).not.toHaveProperty('defaults.temperature')
  expect(JSON.stringify(offer)).not.toContain('somewhere')
})

test('an estimate counts what a request takes, with its price, and asks no engine', async () => {
  const one = engine()
  const prices = { one: { inputPerMTok: 1, outputPerMTok: 2 } }
  const { url } = await startServer(one, { ...small, prices })
  const ask = async (aft: object, max_tokens = 1_000) => {
    const body = JSON.stringify({ model: 'aft', messages: user('Why?'), max_tokens, aft })
    const response = await fetch(`${url}/v1/aft/estimate`, { ...json, body })
    return { status: response.status, body: (await response.json()) as { cost: number } }
  }
  const { body } = await ask({})
  expect(body).toMatchObject({ completions: 3, requests: 2 })
  expect(body.cost).toBeGreaterThan(0.006)
  expect(body.cost).toBeLessThan(0.01)
  expect((await ask({ width: 5, depth: 2 })).body).toMatchObject({ completions: 11, requests: 3 })
  expect(await ask({ width: 99 })).toMatchObject({ status: 400, body: { error: { param: 'aft.width' } } })
  expect(one.requests).toEqual([])
})

test('every event is sent in order, and the whole result last', async () => {
  const { url } = await startServer(engine(), small)
  const body = JSON.stringify({ model: 'aft', messages: user('Why?'), aft: { width: 2 } })
  const events = await readEvents(await fetch(`${url}/v1/aft`, { ...json, body }))
  const types = events.map((event) => (event as { type: string }).type)
  expect(types[0]).toBe('layer-start')
  expect(types.filter((type) => !type.endsWith('delta'))).toEqual([
    'layer-start',
    'completion-end',
    'completion-end',
    'layer-end',
    'layer-start',
    'completion-end',
    'layer-end',
    'answer',
  ])
  expect(events.at(-1)).toMatchObject({ result: { answer: 'Both.', layers: [{}, {}] } })
})

test('a failure is an event without addresses, and the end is an error object', async () => {
  const message = 'connect ECONNREFUSED 10.0.0.5:8000'
  const broken = scriptedEngine([
    { replies: [{ error: { kind: 'unreachable', message, isRetryable: false } }] },
  ])
  const { url } = await startServer(broken, small)
  const body = JSON.stringify({ model: 'aft', messages: user('Why?') })
  const events = await readEvents(await fetch(`${url}/v1/aft`, { ...json, body }))
  expect(events[1]).toMatchObject({ type: 'completion-failed', failure: { error: { kind: 'unreachable' } } })
  expect(events.at(-1)).toMatchObject({ error: { status: 502 } })
  expect(JSON.stringify(events)).not.toContain('10.0.0.5')
})

test('a fix is a line of a data set, with the messages of inference', async () => {
  const fixes = path.join(mkdtempSync(path.join(tmpdir(), 'aft-fixes-')), 'train.jsonl')
  const { url } = await startServer(engine(), { ...small, fixes })
  const fix = {
    messages: user('Why?'),
    proposals: [
      { text: 'One.', model: 'one' },
      { text: 'Two.', model: 'two' },
    ],
    model: 'one',
    completion: 'Because.',
  }
  const send = (body: object) => fetch(`${url}/v1/aft/fixes`, { ...json, body: JSON.stringify(body) })
  expect((await send(fix)).status).toBe(201)
  const [line, ...rest] = readFileSync(fixes, 'utf8').trimEnd().split('\n')
  expect(rest).toEqual([])
  expect(JSON.parse(line as string)).toMatchObject({
    prompt: aggregatorMessages(defaultTemplate, user('Why?'), fix.proposals),
    completion: [{ role: 'assistant', content: 'Because.' }],
    proposals: [{ onPolicy: true }, { onPolicy: false }],
    source: 'fixes',
    template: 'aft-2',
  })
  expect((await send({ ...fix, template: 'aft-1' })).status).toBe(201)
  const second = readFileSync(fixes, 'utf8').split('\n')[1]
  expect(JSON.parse(second as string)).toMatchObject({
    prompt: aggregatorMessages(paperTemplate, user('Why?'), fix.proposals),
    template: 'aft-1',
  })
  for (const wrong of [
    { ...fix, file: '/etc/x' },
    { ...fix, completion: ' ' },
    { ...fix, messages: [] },
    { ...fix, template: 'none' },
    {},
  ]) {
    const refused = await send(wrong)
    expect(refused.status).toBe(400)
    expect(((await refused.json()) as { error: { param: string } }).error.param).toBeTruthy()
  }
  expect(readFileSync(fixes, 'utf8').split('\n').length).toBe(3)
})

test('a rating is a line of the operator’s file, with its time; without a file it is refused', async () => {
  const ratings = path.join(mkdtempSync(path.join(tmpdir(), 'aft-ratings-')), 'ratings.jsonl')
  const { url } = await startServer(engine(), { ...small, ratings })
  const send = (body: object, to = url) =>
    fetch(`${to}/v1/aft/ratings`, { ...json, body: JSON.stringify(body) }).then(({ status }) => status)
  const rating = {
    rating: 'good',
    comment: ' Clear. ',
    source: 'a.journal',
    id: '7',
    question: 'Q',
    answer: 'A',
  }
  expect(await send(rating)).toBe(201)
  const [line, ...rest] = readFileSync(ratings, 'utf8').trimEnd().split('\n')
  expect(rest).toEqual([])
  expect(JSON.parse(line as string)).toEqual({
    ...rating,
    comment: 'Clear.',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  })
  const { comment, ...bare } = rating
  for (const wrong of [
    { ...bare, rating: 'fine' },
    { ...bare, rating: undefined },
    { ...rating, file: '/x' },
    {},
  ])
    expect(await send(wrong)).toBe(400)
  expect(await send({ ...rating, answer: 'x'.repeat(2_000_000) })).toBe(413)
  const { url: without } = await startServer(engine(), small)
  expect(await send(rating, without)).toBe(404)
  expect(await (await fetch(`${url}/v1/aft`)).json()).toMatchObject({ ratings: true })
})

describe.each(['Hono', 'Express'] as const)('mounted under a path in %s', (framework) => {
  const start = async () => {
    const server = createServer({ engines: { one: engine() }, ...small })
    return `${await listenWith(mounts[framework](server))}/llm`
  }

  test.each(['', '/', '?a=1', '/?a=1'])('the page at /llm%s opens, with all that it loads', async (end) => {
    const url = await start()
    const page = await fetch(url + end)
    expect(page.status).toBe(200)
    expect(page.url).toBe(`${url}/${end.replace('/', '')}`)
    const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, file]) => file as string,
    )
    expect(files.length).toBe(3)
    for (const file of files) expect((await fetch(new URL(file, page.url))).status).toBe(200)
  })

  test('the API answers under the path, and the outer server keeps its other paths', async () => {
    const url = await start()
    const body = JSON.stringify({ model: 'aft', messages: user('Why?') })
    const answer = await (await fetch(`${url}/v1/chat/completions`, { ...json, body })).json()
    expect(answer).toMatchObject({ choices: [{ message: { content: 'Both.' } }] })
    expect((await fetch(`${url}/v1/models`)).status).toBe(200)
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
    expect(await (await fetch(new URL('/v1/models', url))).text()).toBe('elsewhere')
  })
})

test('fixes of many clients at once stand whole and once, and a cut line before them stays alone', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'aft-fixes-')), 'train.jsonl')
  writeFileSync(file, '{"cut')
  const { url } = await startServer(engine(), { ...small, fixes: file })
  const send = (text: string) =>
    fetch(`${url}/v1/aft/fixes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        messages: [{ role: 'user', content: 'Q' }],
        proposals: [{ text: 'a', model: 'm' }],
        model: 'm',
        completion: text,
      }),
    }).then(({ status }) => status)
  const texts = Array.from({ length: 20 }, (_, i) => `${i} ${'x'.repeat(i % 2 === 0 ? 600_000 : 10)}`)
  expect(await Promise.all(texts.map(send))).toEqual(texts.map(() => 201))
  expect(await send('x'.repeat(2_000_000))).toBe(413)
  const [cut, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(cut).toBe('{"cut')
  expect(lines.map((line) => JSON.parse(line).completion[0].content).sort()).toEqual([...texts].sort())
})

test('a fix that cannot be written is an error, and nothing of it stays', async () => {
  const { url } = await startServer(engine(), { ...small, fixes: '/dev/full' })
  const body = { messages: [{ role: 'user', content: 'Q' }], proposals: [], model: 'm', completion: 'c' }
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(`${url}/v1/aft/fixes`, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(reply.status).toBe(500)
})
