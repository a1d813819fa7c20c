/** Chunks that differ in their text only are taken without a look at the rest; what comes of them must be the same. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { collect, finish, open, usage } from './openai.fixture.ts'

type Write = (index: number, text: string) => object

const choice =
  (delta: (text: string) => object, more: object = {}): Write =>
  (index, text) => ({ choices: [{ index, delta: delta(text), finish_reason: null, ...more }] })

const forms: [string, Write][] = [
  ['texts', choice((content) => ({ content }))],
  ['reasoning', choice((reasoning_content) => ({ reasoning_content, content: null }))],
  ['reasoning under two names', choice((reasoning) => ({ reasoning, reasoning_content: 'why ' }))],
  ['a text beside reasoning', choice((content) => ({ content, reasoning: 'why ' }))],
  ['a text beside a refusal', choice((content) => ({ content, refusal: 'no ' }))],
  ['plain completions', (index, text) => ({ choices: [{ index, text, finish_reason: null }] })],
  ['a finish reason in each', choice((content) => ({ content }), { finish_reason: 'stop' })],
  [
    'a usage in each',
    (index, text) => ({ ...choice((content) => ({ content }))(index, text), ...usage(3, 9), choices: [] }),
  ],
  [
    'log probabilities',
    choice((content) => ({ content }), { logprobs: { content: [{ token: 'a', logprob: -1 }] } }),
  ],
  ['numbers from 1', (index, text) => choice((content) => ({ content }))(index + 1, text)],
  ['a number that nobody has', (_, text) => choice((content) => ({ content }))(7, text)],
]

async function ends(chunks: object[], n: number) {
  const { engine } = await open({ maxRetries: 0 }, (asked) => {
    asked.send(...chunks, ...Array.from({ length: n }, (_, index) => finish(index)), usage(3, 9))
    asked.done()
  })
  const { ends, failures } = await collect(engine, { n, endsOnly: true, logprobs: 0 })
  return [...ends.map(({ ms, ...end }) => end), ...failures.map(({ error }) => error.message)]
}

it.each(forms)('%s', async (_, write) => {
  const texts = fc.array(fc.constantFrom(' word', '', '<think>', '</think>\n', '\n', 'a "b"', 'é'), {
    minLength: 12,
  })
  const property = fc.asyncProperty(texts, fc.integer({ min: 1, max: 3 }), async (pieces, n) => {
    const alike = pieces.map((text, i) => write(i % n, text))
    // A field that is new in each makes each one be read as a whole.
    const other = alike.map((chunk, at) => ({ ...chunk, at }))
    expect(await ends(alike, n)).toEqual(await ends(other, n))
  })
  await fc.assert(property, { numRuns: 6 })
})
