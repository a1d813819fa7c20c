import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AftEvent, type Completion, makePlan } from '../../../index.ts'
import { frameOf, headingOf } from './frame.ts'
import { applyEvent, startLayer } from './state.ts'
import { hasUnicode, inLocale, makeStyle, styledWidth } from './style.ts'

const plain = makeStyle(false)
const sky =
  'The sky appears blue because of a phenomenon called Rayleigh scattering. Sunlight is made of many colors, and ' +
  'each color is light of a different wavelength.'

const start = (width: number): Extract<AftEvent, { type: 'layer-start' }> => {
  return { type: 'layer-start', layer: 0, width, isLast: false }
}
const delta = (index: number, text: string): AftEvent => ({ type: 'completion-delta', layer: 0, index, text })

function ended(index: number, text: string, more: Partial<Completion> = {}): AftEvent {
  const usage = { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 12 }
  const completion: Completion = {
    index,
    text,
    usage,
    voice: 0,
    engine: 'a',
    seed: 0,
    finishReason: 'stop',
    ms: 0,
    ...more,
  }
  return { type: 'completion-end', layer: 0, completion }
}

function failed(index: number, kind: string, message: string): AftEvent {
  const failure = { index, voice: 0, engine: 'a', seed: 0, error: { kind, message }, ms: 0 }
  return { type: 'completion-failed', layer: 0, failure }
}

function viewOf(events: AftEvent[], proposers = ['a'], width = 5) {
  const view = startLayer(makePlan({ proposers, width }), start(width), 0)
  for (const event of events) applyEvent(view, event, 2_500)
  return view
}

const show = (events: AftEvent[], columns: number, rows: number, proposers?: string[]) =>
  frameOf(viewOf(events, proposers), { columns, rows }, 2_500, plain).join('\n')

const busy = [
  delta(0, sky),
  ended(1, sky),
  { type: 'reasoning-delta', layer: 0, index: 2, text: 'The user asks why.' } as AftEvent,
  failed(3, 'timeout', 'no answer within 60 s'),
]

test('members are side by side: the end of a text that is being written, the beginning of a finished one', () => {
  expect(show(busy, 120, 8)).toMatchInlineSnapshot(`
    "⠴ proposals   1 of 5 · 14 tokens · 2.5 s
    ── 1 ────────── ⠴ 1 ──  ── 2 ───────── ✓ 12 ──  ── 3 ─ ⠴ thinking 1 ──  ── 4 ──── ✗ timeout ──  ── 5 ────── waiting ──
    phenomenon called       The sky appears blue    The user asks why.      no answer within 60 s
    Rayleigh scattering.    because of a
    Sunlight is made of     phenomenon called
    many colors, and each   Rayleigh scattering.
    color is light of a     Sunlight is made of
    different wavelength.   many colors, and each…"
  `)
})

test('if they do not fit, they are in several rows', () => {
  expect(show(busy, 60, 14)).toMatchInlineSnapshot(`
    "⠴ proposals   1 of 5 · 14 tokens · 2.5 s
    ── 1 ──────────────── ⠴ 1 ──  ── 2 ─────────────── ✓ 12 ──
    colors, and each color is     The sky appears blue because
    light of a different          of a phenomenon called
    wavelength.                   Rayleigh scattering.…
    ── 3 ─────── ⠴ thinking 1 ──  ── 4 ────────── ✗ timeout ──
    The user asks why.            no answer within 60 s
    ── 5 ──────────── waiting ──
    "
  `)
})

test('on a very narrow or low terminal each member has a line', () => {
  expect(show(busy, 20, 10)).toMatchInlineSnapshot(`
    "⠴ proposals
    1 ⠴ 1  …wavelength.
    2 ✓ 12  The sky ap…
    3 ⠴ thinking 1  …y.
    4 ✗ timeout  … 60 s
    5 waiting"
  `)
  expect(show(busy, 60, 6)).toMatchInlineSnapshot(`
    "⠴ proposals   1 of 5 · 14 tokens · 2.5 s
    1 ⠴ 1  … and each color is light of a different wavelength.
    2 ✓ 12  The sky appears blue because of a phenomenon calle…
    3 ⠴ thinking 1  The user asks why.
    4 ✗ timeout  no answer within 60 s
    5 waiting"
  `)
})

test('if not even the lines fit, the rest is left out', () => {
  expect(show(busy, 30, 4).split('\n')).toHaveLength(4)
})

test('a layer that has ended is shorter, and shows what failed, was excluded or cut', () => {
  const events: AftEvent[] = [
    ended(0, sky, { finishReason: 'length' }),
    ended(1, 'no no no', { excluded: 'runaway' }),
    ended(2, '', { excluded: 'empty' }),
    failed(3, 'rate-limit', 'too many requests'),
    { type: 'layer-end', layer: 0, shown: [0] },
  ]
  expect(show(events, 120, 30)).toMatchInlineSnapshot(`
    "! proposals   3 of 5 · 36 tokens · 2.5 s
    ── 1 ──────── ✓ cut at 12 ──  ── 2 ────────── ✗ runaway ──  ── 3 ──────────── ✗ empty ──  ── 5 ────────── ✗ missing ──
    The sky appears blue because  no no no
    of a phenomenon called
    Rayleigh scattering.
    Sunlight is made of many
    colors, and each color is…
    ✗ 4  rate-limit: too many requests"
  `)
})

test('engines are named if they differ', () => {
  expect(show([], 80, 8, ['smollm2', 'http://127.0.0.1:8000/v1#llama'])).toMatchInlineSnapshot(`
    "⠴ proposals   0 of 5 · 0 tokens · 2.5 s
    ── 1 smollm2 ─ waiting ──  ── 2 smollm2 ─ waiting ──  ── 3 smollm2 ─ waiting ──

    ── 4 …#llama ─ waiting ──  ── 5 …#llama ─ waiting ──
    "
  `)
})

test('a member that is sampled again says so and drops its text', () => {
  const again: AftEvent = { type: 'completion-restarted', layer: 0, index: 0, reason: 'falls back to b' }
  const frame = show([delta(0, 'wrong'), again, delta(0, 'right')], 60, 14)
  expect(frame).toContain('↻ ⠴ 1')
  expect(frame).toContain('right')
  expect(frame).not.toContain('wrong')
})

const waiting: AftEvent = {
  type: 'completion-waiting',
  layer: 0,
  index: 0,
  engine: 'a',
  attempt: 2,
  ms: 20_000,
  kind: 'rate-limit',
  reason: '429: slow down',
}

test('a member whose attempt failed says why and when it is asked again, until it writes', () => {
  const frame = show([waiting], 80, 14)
  expect(frame).toMatch(/^. proposals .* · rate-limit: again in \d+ s$/m)
  expect(frame).toMatch(/── 1 ─+ ↻ in \d+ s ──/)
  expect(show([waiting, delta(0, 'text')], 80, 14)).not.toContain('rate-limit:')
})

test('a layer whose quorum is reached says how long it waits for the others', () => {
  const grace: AftEvent = { type: 'layer-waiting', layer: 0, missing: 2, ms: 5_000 }
  expect(show([ended(0, 'one'), grace], 80, 14)).toMatch(/^. proposals .* · waits \d s for the others$/m)
})

test('the answer replaces the reasoning', () => {
  const thought: AftEvent = { type: 'reasoning-delta', layer: 0, index: 0, text: 'Hm, blue?' }
  expect(show([thought], 60, 14)).toContain('Hm, blue?')
  expect(show([thought, delta(0, 'Rayleigh.')], 60, 14)).not.toContain('Hm, blue?')
})

test('a heading that is too long for the terminal becomes its title alone', () => {
  expect(headingOf(viewOf([]), 80, 0, plain)).toBe('⠋ proposals   0 of 5 · 0 tokens · 0.0 s')
  expect(headingOf(viewOf([]), 12, 0, plain)).toBe('⠋ proposals')
})

const anyEvent = fc.oneof(
  fc.record({
    type: fc.constant('completion-delta' as const),
    layer: fc.constant(0),
    index: fc.nat(9),
    text: fc.string({ unit: 'binary' }),
  }),
  fc.record({
    type: fc.constant('reasoning-delta' as const),
    layer: fc.constant(0),
    index: fc.nat(9),
    text: fc.string({ unit: 'grapheme' }),
  }),
  fc.record({
    type: fc.constant('completion-restarted' as const),
    layer: fc.constant(0),
    index: fc.nat(9),
    reason: fc.string(),
  }),
  fc.record({ kind: fc.string() }).map(({ kind }) => ({ ...waiting, kind }) as AftEvent),
  fc.constant<AftEvent>({ type: 'layer-waiting', layer: 0, missing: 3, ms: 1e9 }),
  fc
    .tuple(fc.nat(9), fc.string({ unit: 'binary', maxLength: 400 }))
    .map(([index, text]) => ended(index, text)),
  fc
    .tuple(fc.nat(9), fc.string(), fc.string({ unit: 'binary' }))
    .map(([index, kind, text]) => failed(index, kind, text)),
  fc.constant<AftEvent>({ type: 'layer-end', layer: 0, shown: [] }),
)

test('a frame is narrower than the terminal, fits its rows, and holds no control character, whatever happened', () => {
  const size = fc.record({ columns: fc.integer({ min: 9, max: 200 }), rows: fc.integer({ min: 2, max: 60 }) })
  fc.assert(
    fc.property(
      fc.array(anyEvent, { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      size,
      (events, width, size) => {
        const lines = frameOf(viewOf(events, ['one', 'two'], width), size, 2_500, plain)
        expect(lines.length).toBeLessThanOrEqual(size.rows)
        for (const line of lines) {
          expect(styledWidth(line)).toBeLessThan(size.columns)
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
        }
      },
    ),
  )
})

test('equal failures of a layer that has ended are one line, however many', () => {
  const events = [0, 1, 2, 3, 4].map((index) => failed(index, 'server', 'down'))
  const all = show([...events, { type: 'layer-end', layer: 0, shown: [] }], 80, 30)
  expect(all).toBe('✗ proposals   0 of 5 · 0 tokens · 2.5 s\n✗ 1 to 5  server: down')
  const two = [
    events[0],
    ended(1, sky),
    ended(2, sky),
    ended(3, sky),
    failed(4, 'timeout', 'slow'),
  ] as AftEvent[]
  const some = show([...two, { type: 'layer-end', layer: 0, shown: [1, 2, 3] }], 80, 30)
  expect(some.split('\n').slice(-2)).toEqual(['✗ 1  server: down', '✗ 5  timeout: slow'])
})

test('a locale without Unicode gets ASCII signs of the same width', () => {
  expect(hasUnicode({ LANG: 'C' })).toBe(false)
  expect(hasUnicode({ LANG: 'C', LC_ALL: 'en_US.UTF-8' })).toBe(true)
  expect(hasUnicode({ LANG: 'C.utf8' })).toBe(true)
  expect(hasUnicode({})).toBe(true)
  const before = process.env.LC_ALL
  process.env.LC_ALL = 'C'
  const drawn = inLocale(show(busy, 60, 6))
  if (before === undefined) delete process.env.LC_ALL
  else process.env.LC_ALL = before
  expect(drawn).toBe(`| proposals   1 of 5 - 14 tokens - 2.5 s
1 | 1  ~ and each color is light of a different wavelength.
2 + 12  The sky appears blue because of a phenomenon calle~
3 | thinking 1  The user asks why.
4 x timeout  no answer within 60 s
5 waiting`)
})
