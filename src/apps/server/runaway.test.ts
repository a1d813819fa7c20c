/** An answer that repeats itself is sampled again if nothing of it was sent. Sent text is never taken back. */
import { expect, test } from 'vitest'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readEvents, startServer, user } from './server.fixture.ts'

const runaway = 'on and on it goes '.repeat(30)
const question = { model: 'aft', messages: user('Why?'), aft: { width: 2, depth: 1 } }

/** An engine that proposes, and then gives these answers in order. */
const start = (...answers: string[]) =>
  startServer(
    scriptedEngine(({ n }, index) => (n === 2 ? ['One.', 'Two.'][index] : (answers.shift() as string))),
  )

test('a client that does not stream gets the second answer', async () => {
  const { post } = await start(runaway, 'Fine.')
  const body = (await (await post(question)).json()) as { choices: unknown[] }
  expect(body).toMatchObject({
    choices: [{ message: { content: 'Fine.' } }],
    aft: {
      degraded: false,
      layers: [{}, { completions: [{ index: 0 }, { index: 0, excluded: 'runaway' }] }],
    },
  })
  expect(body.choices).toHaveLength(1)
})

test('an answer that was streamed already stays, and its end says so', async () => {
  const { client } = await start(runaway, 'Fine.')
  const chunks = []
  for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) {
    chunks.push(chunk)
  }
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(runaway)
  expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason)).toHaveLength(1)
  expect(JSON.stringify(chunks)).toContain('the answer repeats itself, and a part of it was sent already')
})

test('the page is told to drop the first answer, and gets the second', async () => {
  const { url } = await start(runaway, 'Fine.')
  const request = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const response = await fetch(`${url}/v1/aft`, { ...request, body: JSON.stringify(question) })
  const events = await readEvents(response)
  expect(events).toContainEqual({
    type: 'completion-restarted',
    layer: 1,
    index: 0,
    reason: 'the answer repeats itself and is sampled again',
  })
  expect(events.at(-1)).toMatchObject({ type: 'answer', result: { answer: 'Fine.', degraded: false } })
})
