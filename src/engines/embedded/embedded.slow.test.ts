import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { ask, longText, prefilledBy, useEmbedded, user } from './embedded.fixture.ts'
import { openEmbedded } from './embedded.ts'
import { CHUNK, MAX_CHUNKS } from './sequence-pool.ts'

const { file, settings, engine, folder, collect, complete } = await useEmbedded()

// First, as the library tells its troubles to the instance that was made last, and others come below.
describe('files', () => {
  test('a LoRA adapter changes what the model writes, by its scale', async () => {
    const adapter = path.join(folder, 'lora.gguf')
    await writeFile(adapter, writeLora())
    const score = async (lora: { file: string; scale?: number }[]) => {
      const adapted = await openEmbedded({ ...settings, lora })
      const [first] = await adapted.score(user('Hi'), 'Hello')
      await adapted.close()
      return first?.logprob
    }
    const [bare] = await engine.score(user('Hi'), 'Hello')
    expect(await score([{ file: adapter, scale: 0 }])).toBeCloseTo(bare?.logprob ?? 0, 6)
    expect(await score([{ file: adapter }])).not.toBeCloseTo(bare?.logprob ?? 0, 2)
    await expect(openEmbedded({ ...settings, lora: [{ file }] })).rejects.toThrow(
      /cannot be loaded as a LoRA adapter/,
    )
  })

  test('a file that is missing, cut short or no model is an error that names it', async () => {
    const whole = await readFile(file)
    const broken: Record<string, Buffer> = {
      'empty.gguf': Buffer.alloc(0),
      'text.gguf': Buffer.from('not a model '.repeat(1000)),
      'head.gguf': whole.subarray(0, 100_000),
      'cut.gguf': whole.subarray(0, 90_000_000),
      'zeros.gguf': Buffer.concat([whole.subarray(0, 4000), Buffer.alloc(100_000)]),
    }
    for (const [name, bytes] of Object.entries(broken)) {
      const place = path.join(folder, name)
      await writeFile(place, bytes)
      const error = await openEmbedded({ ...settings, file: place }).catch((error) => error)
      expect(error, name).toBeInstanceOf(UsageError)
      expect(error.message).toContain(place)
      if (name === 'cut.gguf') expect(error.message).toContain('corrupted or incomplete')
    }
    await expect(openEmbedded({ ...settings, file: path.join(folder, 'none.gguf') })).rejects.toThrow(
      /none\.gguf/,
    )
  })
})

describe('what is read', () => {
  test('a short prompt is read once also where there is room for long answers', async () => {
    const before = engine.evaluatedTokens
    const ends = await complete(ask('Go on!', { n: 3, maxTokens: 5000, stop: ['e'] }))
    const written = ends.reduce((sum, { usage }) => sum + usage.outputTokens, 0)
    // The last token of a completion is not evaluated.
    expect(engine.evaluatedTokens - before).toBe(prefilledBy(ends) + written - 3)
  })

  test('a prompt is read once also when its completions cannot all run at once', async () => {
    const narrow = await openEmbedded({ ...settings, sequences: 2 })
    try {
      const before = narrow.evaluatedTokens
      const asked = [7, 3].map((n) =>
        complete(ask(longText(100, `narrow ${n}`), { n, maxTokens: 9 }), narrow),
      )
      for (const ends of await Promise.all(asked)) expect(prefilledBy(ends)).toBe(ends[0]?.usage.inputTokens)
      const all = (await Promise.all(asked)).flat()
      const written = all.reduce((sum, { usage }) => sum + usage.outputTokens, 0)
      expect(narrow.evaluatedTokens - before).toBe(prefilledBy(all) + written - all.length)
    } finally {
      await narrow.close()
    }
  })

  test('a prompt that two requests ask for is read once, and so is what two prompts begin with', async () => {
    const content = longText(150, 'twice')
    const [first, second] = await Promise.all([
      complete(ask(content, { n: 2 })),
      complete(ask(content, { n: 3 })),
    ])
    expect(prefilledBy([...first, ...second])).toBeLessThanOrEqual((first[0]?.usage.inputTokens ?? 0) + 2)
    const [other] = await complete(ask(`${content} And what else?`))
    expect(other?.usage.prefilledTokens).toBeLessThanOrEqual((other?.usage.inputTokens ?? 0) - 128)
  })

  test('a long prompt is read in batches between the tokens of other completions', async () => {
    const order: string[] = []
    const watch = async (name: string, request: CompletionRequest) => {
      for await (const { type } of engine.generate(request)) if (type === 'completion-delta') order.push(name)
    }
    const writing = watch('short', ask('Write a story about a fox.', { maxTokens: 60 }))
    await expect.poll(() => order.length).toBeGreaterThan(2)
    const already = order.length
    await Promise.all([writing, watch('long', ask(longText(600, 'chunks')))])
    // Ten chunks in batches of four, and a token of the other completion before each batch.
    expect(order.slice(already).indexOf('long')).toBeGreaterThanOrEqual(3)
    expect(order.slice(already).indexOf('long')).toBeLessThan(order.slice(already).lastIndexOf('short'))
  })
})

describe('what is written', () => {
  test('the same seed gives the same text alone, in a batch, in another place and by another engine', async () => {
    const [alone] = await complete(ask('Tell me about rain.', { seeds: [42], maxTokens: 40 }))
    const others = [3, 5].map((n) => complete(ask(longText(90, `others ${n}`), { n, maxTokens: 30 })))
    const [batch] = await Promise.all([
      complete(ask('Tell me about rain.', { n: 3, seeds: [41, 40, 42], maxTokens: 40 })),
      ...others,
    ])
    expect(batch?.[2]?.text).toBe(alone?.text)
    const fresh = await openEmbedded(settings)
    try {
      expect(
        (await complete(ask('Tell me about rain.', { seeds: [42], maxTokens: 40 }), fresh))[0]?.text,
      ).toBe(alone?.text)
    } finally {
      await fresh.close()
    }
  })

  test('a text does not depend on whether the beginning of its prompt was there already', async () => {
    const content = `${longText(300, 'reuse')} What is this?`
    const request = ask(content, { seeds: [5], maxTokens: 30 })
    const [cold] = await complete(request)
    await complete(ask(`${content} Really?`))
    const [warm] = await complete(request)
    expect(cold?.usage.prefilledTokens).toBeGreaterThan(warm?.usage.prefilledTokens ?? 0)
    expect(warm?.text).toBe(cold?.text)
  })

  test('settings reach the sampler: temperature 0 ignores the seed, and a penalty makes other text', async () => {
    const sampling = { temperature: 0, maxTokens: 40 }
    const request = { ...ask('List ten colours.', { n: 2 }), sampling }
    const [a, b] = await complete(request)
    expect(a?.text).toBe(b?.text)
    const [c] = await complete({
      ...request,
      sampling: { ...sampling, frequencyPenalty: 1, presencePenalty: 1 },
    })
    expect(c?.text).not.toBe(a?.text)
    const top = { temperature: 5, topK: 1, maxTokens: 40 }
    expect((await complete({ ...request, sampling: top }))[1]?.text).toBe(a?.text)
  })

  test('an answer keeps to a JSON schema', async () => {
    const schema = {
      type: 'object',
      properties: { colour: { enum: ['red', 'blue'] }, count: { type: 'integer' } },
    }
    const responseFormat = { type: 'json_schema' as const, json_schema: { name: 'x', schema } }
    const [end] = await complete(ask('Name a colour and a count.', { responseFormat, maxTokens: 60 }))
    expect(JSON.parse(end?.text ?? '')).toEqual({
      colour: expect.stringMatching(/^(red|blue)$/),
      count: expect.any(Number),
    })
    const [free] = await complete(
      ask('Give me an object {"a": 1}', { responseFormat: { type: 'json_object' }, maxTokens: 80 }),
    )
    expect(free?.text).toMatch(/^\s*[{[]/)
  })

  test('lower priorities go first where completions wait for a place', async () => {
    const narrow = await openEmbedded({ ...settings, sequences: 1 })
    try {
      const order: number[] = []
      const asked = [0, 2, 1].map(async (priority) => {
        await complete(ask(`Say ${priority}.`, { priority, maxTokens: 8, n: 2 }), narrow)
        order.push(priority)
      })
      await Promise.all(asked)
      expect(order).toEqual([0, 1, 2])
    } finally {
      await narrow.close()
    }
  })
})

describe('ends from outside', () => {
  test('an abort while the prompt is read costs one batch of chunks at most', async () => {
    const caller = new AbortController()
    const asked = collect(ask(longText(3000, 'abort'), { n: 3, signal: caller.signal }))
    const before = engine.evaluatedTokens
    await expect.poll(() => engine.evaluatedTokens, { interval: 1 }).toBeGreaterThan(before + 100)
    const at = engine.evaluatedTokens
    caller.abort()
    const failures = (await asked).filter((event) => event.type === 'completion-failed')
    expect(failures.map(({ error }) => error.kind)).toEqual(['aborted', 'aborted', 'aborted'])
    expect(failures[0]?.usage).toMatchObject({ calls: 1, outputTokens: 0 })
    await complete(ask('Hi', { maxTokens: 1 }))
    const hi = await engine.countTokens(user('Hi'))
    expect(engine.evaluatedTokens - at).toBeLessThanOrEqual(CHUNK * MAX_CHUNKS + hi)
  })

  test('an abort while completions are written costs one token of each', async () => {
    const caller = new AbortController()
    let at = 0
    for await (const { type } of engine.generate(
      ask('Tell me a story.', { n: 4, maxTokens: 200, signal: caller.signal }),
    )) {
      if (type !== 'completion-delta' || at > 0) continue
      at = engine.evaluatedTokens
      caller.abort()
    }
    await complete(ask('Hi', { maxTokens: 1 }))
    expect(engine.evaluatedTokens - at).toBeLessThanOrEqual(4 + (await engine.countTokens(user('Hi'))))
  })

  test('closing fails what is open, and a second close does nothing', async () => {
    const other = await openEmbedded(settings)
    const asked = collect(ask('Tell me a story.', { n: 3, maxTokens: 300 }), other)
    await expect.poll(() => other.evaluatedTokens).toBeGreaterThan(0)
    await other.close()
    await other.close()
    const events = (await asked).filter((event) => event.type === 'completion-failed')
    expect(events.map(({ error }) => error.kind)).toEqual(['aborted', 'aborted', 'aborted'])
    await expect(collect(ask('Hi'), other)).rejects.toMatchObject({ kind: 'aborted' })
  })

  test('a process ends by itself after close', async () => {
    const script = path.join(folder, 'end.mjs')
    const source = `import { openEmbedded } from ${JSON.stringify(path.join(import.meta.dirname, 'embedded.ts'))}
      const engine = await openEmbedded(${JSON.stringify(settings)})
      const request = { messages: [{ role: 'user', content: 'Hi' }], n: 2, seeds: [1, 2], sampling: { maxTokens: 3 } }
      for await (const event of engine.generate(request)) if (event.type === 'completion-end') console.log('end')
      await engine.close()`
    await writeFile(script, source)
    const child = spawn(process.execPath, [script])
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const [code] = await once(child, 'close')
    expect([code, output]).toEqual([0, 'end\nend\n'])
  })
})

/** An adapter of rank 1 that adds to the first layer's queries, in the GGUF format, version 3. */
function writeLora(): Buffer {
  const width = 576
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)
  const f32 = (values: number[]) => Buffer.from(Float32Array.from(values).buffer)
  const text = (value: string) => Buffer.concat([u64(value.length), Buffer.from(value)])
  const [isFloat, isText] = [6, 8]
  const pair = (key: string, value: string) => Buffer.concat([text(key), u32(isText), text(value)])
  const tensor = (name: string, shape: number[], offset: number) =>
    Buffer.concat([
      text(`blk.0.attn_q.weight.lora_${name}`),
      u32(shape.length),
      ...shape.map(u64),
      u32(0),
      u64(offset),
    ])
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(2),
    u64(4),
    pair('general.architecture', 'llama'),
    pair('general.type', 'adapter'),
    pair('adapter.type', 'lora'),
    text('adapter.lora.alpha'),
    u32(isFloat),
    f32([1]),
    tensor('a', [width, 1], 0),
    tensor('b', [1, width], width * 4),
  ])
  const padding = Buffer.alloc((32 - (head.length % 32)) % 32)
  const values = Array.from({ length: 2 * width }, (_, i) => Math.sin(i))
  return Buffer.concat([head, padding, f32(values)])
}
