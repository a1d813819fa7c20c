/** What every engine must do. Run it in the engine's test file; it needs vitest and is not published. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompletionEnd, CompletionRequest, Engine, EngineEvent } from '../core/provider/engine.ts'
import { EngineError } from '../core/provider/errors.ts'

/** A request without what the fact sets, and the engine for it if it is not the common one. */
export type Situation = Partial<CompletionRequest> & { open?: () => Promise<Engine> }

/** The engine to test, and requests that bring about what the facts need. */
export interface ContractOptions {
  open: () => Promise<Engine>
  situations?: {
    /** A prompt whose answers have at least 24 tokens and differ by seed. */
    long?: Situation
    /** A prompt with an answer of fewer than 256 tokens. */
    short?: Situation
    /** A prompt with an answer of characters outside ASCII that are split over tokens. */
    unicode?: Situation
    /** A prompt with an empty answer. Default: an answer stopped at its first character. */
    empty?: Situation
    /** A prompt that does not fit. Default: `contextLength` words. */
    overflow?: Situation
    /** A prompt for which at least one completion of three fails and at least one does not. */
    oneFails?: Situation
  }
  /** Facts that cannot be tested here, each with its reason. */
  skip?: Partial<Record<FactName, string>>
  /** Per fact; default 60,000. */
  timeoutMs?: number
}

/** Declares one test per fact, under `name`. */
export function engineContract(name: string, options: ContractOptions): void {
  describe(`${name} keeps the engine contract`, () => {
    const opened: Engine[] = []
    const open = async (make = options.open) => {
      const engine = await make()
      opened.push(engine)
      return engine
    }
    let common: Engine
    beforeAll(async () => {
      common = await open()
    }, options.timeoutMs ?? 60_000)
    afterAll(() => Promise.all(opened.map((engine) => engine.close?.())))

    for (const [key, [title, check]] of Object.entries(facts)) {
      const reason = options.skip?.[key as FactName]
      if (reason) test.skip(`${title} (skipped: ${reason})`, () => {})
      else test(title, () => check(new Bench(common, open, options)), options.timeoutMs ?? 60_000)
    }
  })
}

/** The name of a fact. */
export type FactName = keyof typeof facts

const LONG = 'Write a long story about a lighthouse keeper, with many details.'
const SHORT = 'Reply with one word: yes.'

/** The engine under test, and the requests to send to it. */
class Bench {
  readonly #common: Engine
  readonly #open: (make?: () => Promise<Engine>) => Promise<Engine>
  readonly #situations: NonNullable<ContractOptions['situations']>

  constructor(
    common: Engine,
    open: (make?: () => Promise<Engine>) => Promise<Engine>,
    options: ContractOptions,
  ) {
    this.#common = common
    this.#open = open
    this.#situations = options.situations ?? {}
  }

  has(name: keyof NonNullable<ContractOptions['situations']>): boolean {
    return this.#situations[name] !== undefined
  }

  async prepare(
    name: keyof NonNullable<ContractOptions['situations']>,
    more: Partial<CompletionRequest> = {},
  ) {
    const { open, ...situation } = this.#situations[name] ?? {}
    if (!this.has(name) && name !== 'long' && name !== 'short' && !more.messages) {
      throw new Error(`give situations.${name}, or skip the fact with a reason`)
    }
    const content = name === 'short' ? SHORT : LONG
    const n = more.n ?? situation.n ?? 1
    const request: CompletionRequest = {
      messages: [{ role: 'user', content }],
      n,
      seeds: Array.from({ length: n }, (_, i) => 1000 + i),
      ...situation,
      ...more,
      sampling: { temperature: 1, topP: 1, maxTokens: 24, ...situation.sampling, ...more.sampling },
    }
    return { engine: open ? await this.#open(open) : this.#common, request }
  }

  /** All events of one request, checked for what is true of every stream. */
  async ask(name: Parameters<Bench['prepare']>[0], more?: Partial<CompletionRequest>) {
    const { engine, request } = await this.prepare(name, more)
    return collect(engine, request)
  }

  async text(name: Parameters<Bench['prepare']>[0], more?: Partial<CompletionRequest>): Promise<string> {
    return endsOf(await this.ask(name, more))[0]?.text ?? ''
  }
}

async function collect(
  engine: Engine,
  request: CompletionRequest,
  onEvent?: (event: EngineEvent) => void,
): Promise<EngineEvent[]> {
  const events: EngineEvent[] = []
  for await (const event of engine.generate(request)) {
    events.push(event)
    onEvent?.(event)
  }
  checkStream(events, request)
  return events
}

const endsOf = (events: EngineEvent[]): CompletionEnd[] =>
  events.filter((e) => e.type === 'completion-end').sort((a, b) => a.index - b.index)

const failuresOf = (events: EngineEvent[]) => events.filter((e) => e.type === 'completion-failed')

const isDelta = (event: EngineEvent) => event.type.endsWith('-delta')

/** Each index has any number of deltas, then exactly one end or failure; the end is the sum of the deltas. */
function checkStream(events: EngineEvent[], { n, endsOnly }: CompletionRequest): void {
  const indices = new Set(events.map((e) => e.index))
  expect([...indices].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
  for (const index of indices) {
    const own = events.filter((e) => e.index === index)
    const last = own.at(-1)
    const closings = own.filter((e) => e.type === 'completion-end' || e.type === 'completion-failed')
    expect(closings, `completion ${index} ends once, and nothing comes after`).toEqual([last])
    if (last?.type === 'completion-failed') expect(last.error).toBeInstanceOf(EngineError)
    if (last?.type === 'completion-end' && !endsOnly) checkSum(own, last)
  }
}

function checkSum(own: EngineEvent[], end: CompletionEnd): void {
  const deltas = own.slice(own.findLastIndex((e) => e.type === 'completion-restarted') + 1)
  const sum = (type: EngineEvent['type']) =>
    deltas.map((e) => (e.type === type && 'text' in e ? e.text : '')).join('')
  expect(sum('completion-delta'), 'the deltas sum up to the text').toBe(end.text)
  expect(sum('reasoning-delta'), 'the deltas sum up to the reasoning').toBe(end.reasoning ?? '')
  const calls: { id?: string; name: string; arguments: string }[] = []
  for (const event of deltas) {
    if (event.type !== 'tool-call-delta') continue
    const { position, id, name = '', arguments: piece = '' } = event.delta
    const call = calls[position] ?? { id, name: '', arguments: '' }
    calls[position] = { ...call, name: call.name + name, arguments: call.arguments + piece }
  }
  const whole = (end.toolCalls ?? []).map(({ id, function: f }) => ({ id, ...f }))
  expect(calls, 'the deltas sum up to the tool calls').toEqual(whole)
}

type Fact = readonly [title: string, check: (bench: Bench) => Promise<unknown>]

const facts = {
  n: [
    'a request for n gives n completions',
    async (bench) => {
      expect(endsOf(await bench.ask('long', { n: 1 }))).toHaveLength(1)
      expect(endsOf(await bench.ask('long', { n: 3 }))).toHaveLength(3)
    },
  ],
  sameSeed: [
    'the same seed gives the same text',
    async (bench) => {
      const seeds = [77]
      const text = await bench.text('long', { seeds })
      expect(text).not.toBe('')
      expect(await bench.text('long', { seeds })).toBe(text)
    },
  ],
  otherSeeds: [
    'other seeds give other texts',
    async (bench) => {
      const ends = endsOf(await bench.ask('long', { n: 3 }))
      expect(new Set(ends.map((e) => e.text)).size).toBeGreaterThan(1)
    },
  ],
  endsOnly: [
    'a request for ends only gives the same ends',
    async (bench) => {
      const textsOf = (events: EngineEvent[]) => endsOf(events).map((e) => e.text)
      const texts = textsOf(await bench.ask('long', { n: 2 }))
      expect(textsOf(await bench.ask('long', { n: 2, endsOnly: true }))).toEqual(texts)
    },
  ],
  length: [
    'a completion has at most maxTokens tokens, and says `length` when it was cut',
    async (bench) => {
      for (const end of endsOf(await bench.ask('long', { n: 2, sampling: { maxTokens: 5 } }))) {
        expect(end.finishReason).toBe('length')
        expect(end.usage.outputTokens).toBe(5)
      }
    },
  ],
  stop: [
    'a completion that ended by itself says `stop`',
    async (bench) => {
      const [end] = endsOf(await bench.ask('short', { sampling: { maxTokens: 256 } }))
      expect(end?.finishReason).toBe('stop')
    },
  ],
  stopStrings: [
    'a stop string ends a completion before it, and none of it is streamed',
    async (bench) => {
      const text = await bench.text('long')
      const at = Math.floor(text.length / 3)
      const stop = text.slice(at, at + 6)
      const [end] = endsOf(await bench.ask('long', { stop: [stop] }))
      expect(end?.text).toBe(text.slice(0, text.indexOf(stop)))
      expect(end?.finishReason).toBe('stop')
    },
  ],
  usage: [
    'each completion has usage; what n completions share is counted once, on the lowest index',
    async (bench) => {
      const usages = endsOf(await bench.ask('long', { n: 3 })).map((e) => e.usage)
      expect(usages[0]?.calls).toBeGreaterThanOrEqual(1)
      for (const { calls, inputTokens, prefilledTokens, outputTokens } of usages) {
        expect(inputTokens).toBe(usages[0]?.inputTokens)
        expect(inputTokens).toBeGreaterThan(0)
        expect(outputTokens).toBeGreaterThan(0)
        expect(outputTokens).toBeLessThanOrEqual(24)
        if (calls === 0) expect(prefilledTokens ?? 0).toBe(0)
        else expect(prefilledTokens ?? 0).toBeLessThanOrEqual(calls * inputTokens)
      }
      const shared = usages.reduce((sum, { calls, sharedBy = 1 }) => sum + (calls > 0 ? sharedBy : 0), 0)
      expect(shared, 'each completion belongs to one request').toBe(3)
    },
  ],
  countTokens: [
    'countTokens gives the tokens of the prompt, and more for more text',
    async (bench) => {
      const { engine, request } = await bench.prepare('long')
      const [end] = endsOf(await collect(engine, request))
      const counted = await engine.countTokens?.(request.messages)
      expect(counted).toBe(end?.usage.inputTokens)
      const more = [...request.messages, { role: 'user' as const, content: 'And another thing.' }]
      expect(await engine.countTokens?.(more)).toBeGreaterThan(counted ?? 0)
    },
  ],
  abort: [
    'an abort in the middle fails what is open, as `aborted`, and the engine serves the next request',
    async (bench) => {
      const caller = new AbortController()
      const { engine, request } = await bench.prepare('long', { n: 3, signal: caller.signal })
      const abort = (event: EngineEvent) => isDelta(event) && caller.abort()
      const failures = failuresOf(await collect(engine, request, abort))
      expect(failures.length).toBeGreaterThan(0)
      for (const { error } of failures) expect(error).toMatchObject({ kind: 'aborted', isRetryable: false })
      expect(endsOf(await bench.ask('long'))).toHaveLength(1)
    },
  ],
  abortedBefore: [
    'a request that was aborted before it began does no work',
    async (bench) => {
      const events = await bench.ask('long', { n: 2, signal: AbortSignal.abort() })
      expect(failuresOf(events).map((f) => f.error.kind)).toEqual(['aborted', 'aborted'])
      expect(events.filter(isDelta)).toEqual([])
      for (const { usage } of failuresOf(events)) expect(usage?.calls ?? 0).toBe(0)
    },
  ],
  leave: [
    'a consumer that leaves early frees what its completions held',
    async (bench) => {
      for (let i = 0; i < 6; i++) {
        const { engine, request } = await bench.prepare('long', { n: 4, sampling: { maxTokens: 200 } })
        for await (const event of engine.generate(request)) if (isDelta(event)) break
      }
      expect(endsOf(await bench.ask('long', { n: 4 }))).toHaveLength(4)
    },
  ],
  together: [
    'requests at the same time do not mix',
    async (bench) => {
      const asked = [1, 2, 3].map((n) =>
        bench.ask('long', { n, seeds: [n * 10, n * 10 + 1, n * 10 + 2].slice(0, n) }),
      )
      expect((await Promise.all(asked)).map((events) => endsOf(events).length)).toEqual([1, 2, 3])
    },
  ],
  overflow: [
    'a prompt that does not fit is refused before any work',
    async (bench) => {
      const words = 'word '.repeat((await bench.prepare('long')).engine.contextLength ?? 0)
      const more =
        bench.has('overflow') || !words ? {} : { messages: [{ role: 'user' as const, content: words }] }
      const { engine, request } = await bench.prepare('overflow', more)
      const events: EngineEvent[] = []
      const ask = async () => {
        for await (const event of engine.generate(request)) events.push(event)
      }
      const error = await ask().catch((error: unknown) => error)
      expect(error).toBeInstanceOf(EngineError)
      expect(error).toMatchObject({ kind: 'context-overflow', isRetryable: false })
      expect(events).toEqual([])
    },
  ],
  oneFails: [
    'a completion that fails leaves the others',
    async (bench) => {
      const events = await bench.ask('oneFails', { n: 3 })
      expect(failuresOf(events).length).toBeGreaterThan(0)
      expect(endsOf(events).length).toBeGreaterThan(0)
    },
  ],
  unicode: [
    'a character split over tokens arrives whole',
    async (bench) => {
      const events = await bench.ask('unicode')
      expect(endsOf(events)[0]?.text).toMatch(/[^\u0000-\u007f]/)
      for (const event of events) {
        if (event.type !== 'completion-delta') continue
        expect(event.text).not.toContain('\ufffd')
        expect(event.text.isWellFormed(), 'no half of a surrogate pair').toBe(true)
      }
    },
  ],
  empty: [
    'an empty answer is an end with an empty text',
    async (bench) => {
      const stop = bench.has('empty') ? undefined : [[...(await bench.text('long'))][0] ?? '']
      const [end] = endsOf(await bench.ask(stop ? 'long' : 'empty', stop && { stop }))
      expect(end).toMatchObject({ text: '', finishReason: 'stop' })
    },
  ],
  unknownSampling: [
    'sampling settings that it does not know are ignored',
    async (bench) => {
      const sampling = { maxTokens: 8, notASetting: 3 } as CompletionRequest['sampling']
      expect(endsOf(await bench.ask('long', { sampling }))).toHaveLength(1)
    },
  ],
} as const satisfies Record<string, Fact>
