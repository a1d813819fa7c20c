import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTextStream } from './text-stream.ts'

/** A tokenizer of single bytes: every character outside ASCII is split over tokens. */
const detokenize = (tokens: number[]) => new TextDecoder().decode(Uint8Array.from(tokens))
const bytesOf = (text: string) => [...new TextEncoder().encode(text)]

function run(text: string, stops: string[] = []) {
  const stream = createTextStream(detokenize, stops)
  const deltas: string[] = []
  for (const byte of bytesOf(text)) {
    const { text, isStopped } = stream.push(byte)
    deltas.push(text)
    if (isStopped) return { deltas, whole: deltas.join(''), isStopped }
  }
  deltas.push(stream.end())
  return { deltas, whole: deltas.join(''), isStopped: false }
}

describe('a text stream', () => {
  test('says each character whole, whatever tokens it is split over', () => {
    const { deltas, whole } = run('naïve 🦊 狐')
    expect(whole).toBe('naïve 🦊 狐')
    expect(deltas.filter((delta) => delta.includes('\uFFFD'))).toEqual([])
  })

  test('leaves out a character of which bytes are missing at the end', () => {
    const stream = createTextStream(detokenize)
    const said = bytesOf('ab🦊')
      .slice(0, -1)
      .map((byte) => stream.push(byte).text)
    expect(said.join('') + stream.end()).toBe('ab')
  })

  test('ends before the first stop string', () => {
    expect(run('one END two STOP', ['STOP', 'END'])).toMatchObject({ whole: 'one ', isStopped: true })
  })

  test('never says the start of a stop string, and says it when it turns out to be none', () => {
    const { deltas, whole } = run('a <EN b', ['<END>'])
    expect(whole).toBe('a <EN b')
    expect(deltas.slice(0, 5)).toEqual(['a', ' ', '', '', ''])
  })

  test('the deltas are the text up to the first stop string, for any text and stop strings', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '🦊'), maxLength: 30 })
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    })
    fc.assert(
      fc.property(letters, stops, (text, stops) => {
        // The first stop string to be complete ends the text; of those that end together, the one that starts first.
        const ends = stops
          .filter((stop) => text.includes(stop))
          .map((stop) => text.indexOf(stop) + stop.length)
        const seen = text.slice(0, Math.min(text.length, ...ends))
        const starts = stops.map((stop) => seen.indexOf(stop)).filter((at) => at >= 0)
        expect(run(text, stops).whole).toBe(seen.slice(0, Math.min(seen.length, ...starts)))
      }),
    )
  })
})
