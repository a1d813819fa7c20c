/** Hostile requests: none may end the server, and none may leave anything behind in it. */
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { type Started, startServer, user } from './server.fixture.ts'

/** Set AFT_FUZZ_REQUESTS=20000 for a long run; one was done. */
const REQUESTS = Number(process.env.AFT_FUZZ_REQUESTS ?? 500)

const question = { model: 'single', messages: user('Why is the sky blue?') }
const quiet = () => scriptedEngine(echo, { keepRequests: false })
const json = { 'content-type': 'application/json' }

/** Opens a bare connection, and collects what comes back. */
async function dial(url: string): Promise<{ socket: Socket; read: () => string; closed: Promise<void> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise((resolve) => socket.once('connect', resolve))
  return { socket, read: () => text, closed }
}
const head = (body: string, more = '') =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${more}\r\n${body}`

describe('a connection', () => {
  const soon = { headersTimeoutMs: 200, requestTimeoutMs: 400 }

  test('that sends nothing more is closed', async () => {
    const { url } = await startServer(quiet(), {}, 'none', soon)
    const { socket, read, closed } = await dial(url)
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: loc')
    await closed
    expect(read()).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('is closed if the body does not arrive', async () => {
    const { url } = await startServer(quiet(), {}, 'none', soon)
    const { socket, read, closed } = await dial(url)
    socket.write(head('{"model": "single", ', 'content-length: 5000\r\n'))
    await closed
    expect(read()).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('still gets its answer if it is half closed', async () => {
    const { url } = await startServer(quiet())
    const { socket, read, closed } = await dial(url)
    const body = JSON.stringify(question)
    socket.end(head(body, `content-length: ${body.length}\r\nconnection: close\r\n`))
    await closed
    expect(read()).toMatch(/^HTTP\/1\.1 200 .*"finish_reason":"stop"/s)
  })

  test.each([
    ['headers without end', `x: ${'y'.repeat(100)}\r\n`.repeat(1_000), 431],
    ['one endless header', `x: ${'y'.repeat(100_000)}\r\n`, 431],
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n', 400],
    ['a length that is none', 'content-length: many\r\n', 400],
    ['a host of another', 'host: evil.example\r\n', 400],
    ['a broken chunk', 'transfer-encoding: chunked\r\n', 400],
  ])('with %s is refused', async (_, headers, status) => {
    const { url } = await startServer(quiet())
    const { socket, read, closed } = await dial(url)
    socket.end(head('zz\r\n{}\r\n', headers))
    await closed
    expect(read()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })

  test('gets a 413 for 10 MB in chunks', async () => {
    const { url } = await startServer(quiet())
    const piece = new TextEncoder().encode('x'.repeat(1_000_000))
    let pieces = 0
    const body = new ReadableStream({
      pull: (controller) => (pieces++ < 10 ? controller.enqueue(piece) : controller.close()),
    })
    const init = { method: 'POST', headers: json, body, duplex: 'half' } as RequestInit
    const response = await fetch(`${url}/v1/chat/completions`, init)
    expect(response.status).toBe(413)
    await response.text()
  })

  test.each(['/v1/chat/completions', '/v1/responses', '/v1/messages', '/v1/aft'])(
    'gets a 415 for 1 MB that unpacks to 1 GB, at %s, and it is not unpacked',
    async (place) => {
      const { url } = await startServer(quiet())
      const body = Buffer.concat(Array(1_024).fill(gzipSync(Buffer.alloc(2 ** 20, 0x20))))
      expect(body.length).toBeGreaterThan(1e6)
      const startMs = process.cpuUsage().user / 1_000
      const headers = { ...json, 'content-encoding': 'gzip' }
      const response = await fetch(url + place, { method: 'POST', headers, body })
      expect(response.status).toBe(415)
      expect(await response.text()).toContain('expected a body without content-encoding')
      // To unpack 1 GB takes more.
      expect(process.cpuUsage().user / 1_000 - startMs).toBeLessThan(300)
      const plain = await fetch(url + place, { method: 'POST', headers: json, body })
      expect(plain.status).toBe(400)
    },
  )
})

describe('a reader', () => {
  test('that reads nothing is disconnected, and its calls end', async () => {
    const word = `${'x'.repeat(100_000)} `
    const engine = scriptedEngine([{ replies: [{ text: word.repeat(2_000), delayMs: 1 }] }])
    const { url } = await startServer(engine, { readerTimeoutMs: 300 })
    const { socket, closed } = await dial(url)
    const body = JSON.stringify({ ...question, stream: true })
    socket.write(head(body, `content-length: ${body.length}\r\n`))
    socket.once('data', () => socket.pause())
    await expect.poll(() => engine.requests[0]?.signal?.aborted, { timeout: 50_000 }).toBe(true)
    socket.resume()
    await closed
  })

  test('that reads slowly gets every word', async () => {
    const text = `${'x'.repeat(50_000)} `.repeat(100)
    const { post } = await startServer(scriptedEngine([{ replies: [text] }]))
    const response = await post({ ...question, stream: true })
    let length = 0
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      length += chunk.length
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(length).toBeGreaterThan(text.length)
  })
})

const anything = fc.anything({ maxDepth: 2, withNullPrototype: false })
/** Generates a good value, and now and then another one. */
const mostly = <T, U>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<U> = anything as fc.Arbitrary<U>) =>
  fc.oneof({ weight: 60, arbitrary: good }, { weight: 1, arbitrary: bad })
const text = mostly(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('Why is the sky blue?')))
const image = fc.record({ type: fc.constantFrom('image_url', 'x'), image_url: anything })
const parts = fc.array(mostly(fc.record({ type: fc.constant('text'), text }), image), { maxLength: 3 })
const role = mostly(
  fc.constantFrom('system', 'developer', 'user', 'assistant'),
  fc.constantFrom('tool', 'king'),
)
const name = { name: text, tool_calls: fc.constant([]), tool_call_id: text }
const message = fc.record(
  { role, content: mostly(fc.oneof(text, parts)), ...name },
  { requiredKeys: ['role', 'content'] },
)
const odd = fc.constantFrom(0, -1, 0.5, 10_000, 1e300, -1e9)
const count = mostly(fc.integer({ min: 1, max: 3 }), odd)
const share = mostly(fc.double({ min: 0, max: 1, noNaN: true }), odd)
const aft = fc.record(
  {
    enabled: fc.boolean(),
    strategy: mostly(fc.constantFrom('aft', 'moa', 'rsa', 'self-consistency', 'best-of-n', 'single')),
    width: count,
    depth: count,
    sample: fc.constantFrom(1, 1, 2),
    steps: count,
    quorum: count,
    proposers: mostly(fc.array(fc.constantFrom('one', 'two'), { minLength: 1, maxLength: 2 })),
    aggregators: mostly(fc.constantFrom(['one'], ['one', 'two'])),
    stopAtAgreement: share,
    showProposals: fc.boolean(),
    tools: mostly(fc.constantFrom('aggregator', 'bypass', 'first-call')),
    judge: mostly(fc.constantFrom('one', 'two'), fc.webUrl()),
  },
  { requiredKeys: [] },
)
const functionOf = fc.record({ name: text, parameters: fc.dictionary(fc.string(), anything) })
const tool = fc.record({ type: fc.constant('function'), name: text, function: mostly(functionOf) })
const models = mostly(
  fc.constantFrom('aft', 'aft-fast', 'paper', 'moa', 'rsa', 'single'),
  fc.constantFrom('gpt', '__proto__', ''),
)
const shared = {
  model: models,
  aft: mostly(aft),
  stream: mostly(fc.boolean()),
  temperature: share,
  top_p: share,
  seed: mostly(fc.maxSafeInteger()),
  tools: mostly(fc.array(tool, { maxLength: 2 })),
  tool_choice: mostly(fc.constantFrom('auto', 'none'), fc.constantFrom('required', 'x')),
  metadata: mostly(fc.dictionary(fc.string(), fc.string())),
}
const scores = fc.constantFrom(
  {},
  { logprobs: true },
  { logprobs: true, top_logprobs: 2 },
  { top_logprobs: 2 },
)
const format = fc.record({ type: fc.constantFrom('text', 'json_object'), json_schema: fc.object() })
const chat = fc
  .record(
    {
      ...shared,
      messages: mostly(fc.array(message, { minLength: 1, maxLength: 4 }), fc.array(anything)),
      n: mostly(fc.constant(1), count),
      max_tokens: count,
      max_completion_tokens: count,
      stop: mostly(fc.constantFrom('a', ['b', 'c'], '')),
      user: text,
      x: anything,
      stream_options: mostly(fc.record({ include_usage: fc.boolean() })),
      response_format: mostly(format, fc.record({ type: fc.constantFrom('json_schema', 'xml') })),
    },
    { requiredKeys: ['model', 'messages'] },
  )
  .chain((body) => scores.map((more) => ({ ...body, ...more })))
const input = fc.oneof(text, fc.array(mostly(message), { minLength: 1, maxLength: 4 }))
const responses = fc.record(
  {
    ...shared,
    tools: fc.array(tool, { maxLength: 2 }),
    input: mostly(input),
    max_output_tokens: count,
    instructions: text,
    store: mostly(fc.constant(false)),
    text: mostly(fc.record({ format: fc.record({ type: mostly(fc.constant('text')), name: text }) })),
    include: mostly(fc.array(text)),
    previous_response_id: mostly(fc.constant(null)),
  },
  { requiredKeys: ['model', 'input'] },
)
const block = fc.oneof(
  fc.record({ type: fc.constant('text'), text }),
  fc.record({ type: fc.constant('tool_result'), tool_use_id: fc.string(), content: text }),
  fc.record({ type: fc.constant('tool_use'), id: fc.string(), name: fc.string(), input: fc.object() }),
)
const turn = fc.record({
  role: fc.constantFrom('user', 'assistant'),
  content: mostly(fc.oneof(text, fc.array(mostly(block), { maxLength: 3 }))),
})
const { seed: _, ...anthropic } = shared
const messages = fc.record(
  {
    ...anthropic,
    tools: mostly(fc.array(fc.record({ name: text, input_schema: fc.object() }), { maxLength: 2 })),
    tool_choice: mostly(fc.record({ type: fc.constantFrom('auto', 'none') })),
    messages: mostly(fc.array(turn, { minLength: 1, maxLength: 4 }), fc.array(anything)),
    max_tokens: count,
    system: mostly(text),
    thinking: mostly(fc.record({ type: fc.constantFrom('enabled', 'disabled'), budget_tokens: count })),
    stop_sequences: mostly(fc.array(fc.string({ minLength: 1 }))),
  },
  { requiredKeys: ['model', 'messages'] },
)
const place = fc.oneof(
  { weight: 2, arbitrary: fc.record({ path: fc.constant('/v1/chat/completions'), body: mostly(chat) }) },
  { weight: 1, arbitrary: fc.record({ path: fc.constant('/v1/responses'), body: mostly(responses) }) },
  { weight: 1, arbitrary: fc.record({ path: fc.constant('/v1/messages'), body: mostly(messages) }) },
)
/** A change of the body's bytes: the place, the byte, and the kind of change. */
const mutation = fc.record({
  at: fc.nat(),
  byte: fc.nat(255),
  kind: fc.constantFrom('set', 'add', 'drop', 'cut'),
})
const mutations = fc.oneof(
  { weight: 4, arbitrary: fc.constant([] as Asked['mutations']) },
  { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 4 }) },
)
const request = fc.record({
  place,
  mutations,
  hops: fc.option(fc.constantFrom('0', '2', '3', '-1', 'x', '1e9'), { freq: 30 }),
  type: mostly(fc.constant('application/json'), fc.constant('text/plain')),
})
interface Asked {
  place: { path: string; body: unknown }
  mutations: { at: number; byte: number; kind: string }[]
  hops: string | null
  type: string
}

function write({ place: { body }, mutations }: Asked): Uint8Array<ArrayBuffer> {
  const bytes = [...new TextEncoder().encode(toJson(body))]
  for (const { at, byte, kind } of mutations) {
    const i = at % Math.max(1, bytes.length)
    if (kind === 'set') bytes[i] = byte
    else if (kind === 'add') bytes.splice(i, 0, byte)
    else if (kind === 'drop') bytes.splice(i, 1)
    else bytes.length = i
  }
  return new Uint8Array(bytes)
}

const isRecord = (body: unknown) => typeof body === 'object' && body !== null && !Array.isArray(body)

/** Writes JSON. Values that JSON does not have are left out. */
function toJson(body: unknown): string {
  return JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value)) ?? ''
}

/** Whether a stop string of the request stands where every reply begins: no text is left, and no text is an error. */
function cutsReplies(sent: Uint8Array): boolean {
  const { stop_sequences = [] } = JSON.parse(new TextDecoder().decode(sent))
  return stop_sequences.some((stop: string) => 'Reply '.startsWith(stop) || stop.startsWith('Reply '))
}

async function check({ url }: Started, asked: Asked): Promise<number> {
  const { place, mutations, hops, type } = asked
  const headers = { 'content-type': type, ...(hops && { 'x-aft-hops': hops }) }
  const response = await fetch(url + place.path, { method: 'POST', headers, body: write(asked) })
  const text = await response.text()
  const { status } = response
  if (status !== 200) {
    const { error } = JSON.parse(text)
    const isCut = status === 502 && error.code === 'upstream_missing' && cutsReplies(write(asked))
    if (status >= 500 && !isCut) expect([status, error.code]).toEqual([508, 'too_many_hops'])
    expect(error).toMatchObject({ message: expect.any(String), type: expect.any(String) })
    const isOfBody = status === 400 && mutations.length === 0 && error.code !== 'not_json' && !hops
    if (isOfBody && isRecord(place.body)) expect(error.param).toEqual(expect.any(String))
  } else if (response.headers.get('content-type')?.startsWith('text/event-stream')) checkStream(text)
  else
    expect(JSON.parse(text)).toMatchObject({ aft: { layers: expect.any(Array) }, usage: expect.any(Object) })
  return status
}

function checkStream(text: string): void {
  const lines = [...text.matchAll(/^data: (.*)$/gm)].map(([, line = '']) => line)
  const last = lines.at(-1) as string
  for (const line of lines) if (line !== '[DONE]') JSON.parse(line)
  if (last !== '[DONE]')
    expect(JSON.parse(last).type ?? 'chat').toMatch(/^(response\.(completed|incomplete)|message_stop)$/)
}

test(`${REQUESTS} generated requests cause no fault of the server and leave nothing behind`, async () => {
  const log = vi.fn()
  const engines = { one: quiet(), two: quiet() }
  const server = await startServer(engines.one, {
    engines,
    log,
    limits: { maxTokens: 100, width: 6, depth: 3 },
  })
  const counts = new Map<number, number>()
  const heap: number[] = []
  const property = fc.asyncProperty(request, async (asked) => {
    const status = await check(server, asked)
    const total = (counts.get(status) ?? 0) + 1
    counts.set(status, total)
    if (status === 200 && total % 1_000 === 0) heap.push(process.memoryUsage().heapUsed)
  })
  await fc.assert(property, { numRuns: REQUESTS })
  // A completion that a quorum cut is told with the id of its answer; a fault of the server has none.
  expect(log.mock.calls.filter(([line]) => !/^[a-z]+[-_][\w-]+ a completion of /.test(line))).toEqual([])
  expect(counts.get(200)).toBeGreaterThan(REQUESTS / 50)
  expect(counts.get(400)).toBeGreaterThan(REQUESTS / 50)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toContain('aft_running 0\naft_waiting 0\n'.replace('\n', '\n# TYPE aft_waiting gauge\n'))
  if (process.env.AFT_FUZZ_REQUESTS) console.log(Object.fromEntries(counts), heap)
}, 1_200_000)
