import { expect, test } from 'vitest'
import { createStatistics, findOverlap, measureDraft } from '../data/statistics.ts'
import type { BuildCounts } from '../files/build-counts.ts'
import type { Example } from '../files/rows/row.ts'
import { renderReport } from './data.ts'

const hostile = `<script>alert("1")</script><img src=x onerror='alert(2)'>&amp;</svg>\u202e]]>`

function makeCounts(name = hostile): BuildCounts {
  const statistics = createStatistics()
  for (const length of [0, 1, 2, 3, 100, 4_000]) {
    const text = 'word '.repeat(length / 5).padEnd(length, '.')
    statistics.add(
      measureDraft({
        id: 'a',
        source: 's',
        conversation: [{ role: 'user', content: text }],
        proposals: [{ text, model: name }],
        target: text,
      }),
    )
  }
  return {
    read: 9,
    bad: 1,
    train: 6,
    validation: 0,
    plain: 0,
    trimmed: 2,
    statistics,
    dropped: { [name]: 2, 'no target': 1 },
    left: { [name]: 12_345 },
    models: { [name]: 6, b: 3 },
    benchmarks: { [name]: 1 },
  }
}

test('names from the data are escaped and cannot become markup', async () => {
  const page = await renderReport(hostile, makeCounts())
  const tags = new Set([...page.matchAll(/<\/?([a-z!]+)/gi)].map((match) => match[1]?.toLowerCase()))
  for (const tag of ['script', 'img']) expect(tags).not.toContain(tag)
  expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\sonerror\s*=[^>]*>/i)
  expect(page.match(/<svg/g)?.length).toBe(page.match(/<\/svg>/g)?.length)
  expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;')
})

test('the page loads nothing and runs nothing', async () => {
  const page = await renderReport('responses', makeCounts())
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`)
  const namespaces = /http:\/\/www\.w3\.org\/(?:2000\/svg|1999\/xlink)/g
  expect(
    page.replace(namespaces, '').match(/https?:|\/\/[a-z]|url\(|@import|<link|<iframe|javascript:/gi),
  ).toBeNull()
  const sources = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1])
  expect(sources.filter((source) => !source?.startsWith('#'))).toEqual([])
})

test('the same counts give the same bytes, and every section has its table', async () => {
  const page = await renderReport('responses', makeCounts('m'))
  expect(await renderReport('responses', makeCounts('m'))).toBe(page)
  const titles = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map((match) => match[1])
  expect(titles).toEqual([
    'Rows',
    'Lengths',
    'How much of the target the proposals have',
    'Proposals by model',
    'Why rows were dropped',
    'Why responses were not shown',
    'Dropped because a benchmark has the prompt',
  ])
  expect(page.match(/<table>/g)).toHaveLength(titles.length)
  expect(page).toContain('<td class="number">12,345</td>')
})

test('a build that dropped every row has a report too', async () => {
  const none = { dropped: {}, left: {}, models: {}, benchmarks: {}, statistics: createStatistics() }
  const page = await renderReport('f', { ...makeCounts(), ...none, train: 0 })
  expect(page).toContain('0 examples from 9 rows (f).')
  expect(page).not.toContain('NaN')
})

test('overlap is the share of distinct word 4-grams that a proposal has; case and punctuation do not count', () => {
  const target = 'The fox, the hen and the dog.' // 4 4-grams
  expect(findOverlap(target, ['THE FOX: the hen AND the dog'])).toBe(1)
  expect(findOverlap(target, ['the fox the hen', 'and so on'])).toBe(1 / 4)
  expect(findOverlap(target, ['the fox the hen', 'hen and the dog'])).toBe(2 / 4)
  expect(findOverlap(target, ['dog the and hen the fox the', ''])).toBe(0)
  expect(findOverlap('so so so so so so so', ['so so so so'])).toBe(1)
  expect(findOverlap('Yes.', ['yes', 'no'])).toBe(1)
  expect(findOverlap('Oh yes', ['yes', 'no'])).toBe(1 / 2)
  expect(findOverlap('…', ['…'])).toBe(0)
})

test('lengths are counted by half octaves, and overlaps by tenths, over the measured examples', () => {
  const statistics = createStatistics()
  const draft = (target: string) => ({
    id: 'a',
    source: 's',
    conversation: [{ role: 'user' as const, content: 'ab' }],
    target,
    proposals: [{ text: 'one two three four', model: 'm' }],
  })
  const texts = ['quite another text', 'one two three four']
  for (let i = 0; i < 2_032; i++) statistics.add(measureDraft(draft(texts[i % 2] as string), i % 4 < 2))
  expect(statistics.lengths.prompts).toEqual({ bins: [0, 0, 2_032], texts: 2_032, chars: 4_064 })
  expect(statistics.lengths.targets.bins[8]).toBe(2_032) // 18 characters each: 16 to 22.6
  expect(statistics.overlap).toEqual([508, 0, 0, 0, 0, 0, 0, 0, 0, 508])
})

test('the page begins with example rows, the first one open, all escaped and bounded', async () => {
  const example = (id: string, text: string): Example => ({
    id,
    prompt: [
      { role: 'system', content: `1. ${hostile}` },
      { role: 'user', content: text },
    ],
    completion: [{ role: 'assistant', content: 'The target.' }],
    source: 's',
    proposals: [{ model: hostile, onPolicy: false }],
    template: 'aft-1',
  })
  const page = await renderReport('f', makeCounts('a'), [
    example(hostile, 'Why?'),
    example('b', 'x'.repeat(50_000)),
  ])
  expect(page).not.toMatch(/<script|<img/)
  expect(page.indexOf('<h2>Examples</h2>')).toBeLessThan(page.indexOf('<h2>Rows</h2>'))
  expect(page.match(/<details class="text" open>/g)).toHaveLength(1)
  expect(page).toContain('<h3>target</h3><pre>The target.</pre>')
  expect(page.length).toBeLessThan(200_000)
})
