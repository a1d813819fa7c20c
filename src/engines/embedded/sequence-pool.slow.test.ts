import { expect, test } from 'vitest'
import { resolveModel } from '../models/models.ts'
import { loadNative, type NativeContext, type NativeSampler } from './native.ts'
import { CHUNK, MAX_CHUNKS, SequencePool } from './sequence-pool.ts'

/** The logits of a hundred tokens. */
async function readLogits(native: NativeContext, row: number, greedy: NativeSampler): Promise<string> {
  const wanted = Array.from({ length: 100 }, (_, i) => 400 * i)
  const [, , , logits] = await native.sampleToken(
    row,
    greedy,
    false,
    false,
    [wanted, false, false, true, 0],
    true,
  )
  return logits.join()
}

test('what follows a long text does not depend on the number of threads', async () => {
  const { file } = await resolveModel('smollm2')
  const model = await loadNative({ file, threads: 2, gpu: false })
  const { native, splitsKeys, dispose } = await model.createContext({
    sequences: 2,
    size: 512,
    batchSize: 64,
  })
  let threads = 1
  const cores = { count: () => threads, resume() {} }
  const greedy = model.createSampler({ temperature: 0 })
  const tokens = Array.from({ length: 321 }, (_, i) => 500 + ((i * 7919) % 40_000))

  /** Logits of some tokens after the last one, which is decoded alone. */
  async function decodeLast(count: number, isSplit: boolean): Promise<string> {
    threads = count
    native.setThreads(2) // the most that a pool uses
    const options = { sequences: 2, size: 512, dispose, cores, splitsKeys: isSplit }
    const pool = new SequencePool(native, options)
    let seen = ''
    const task = {
      tokens,
      promptLength: 1,
      logitsFrom: 320,
      evaluated: 0,
      onLogits: async (_: unknown, rows: Uint32Array) => {
        seen = await readLogits(native, rows[0] ?? 0, greedy)
      },
    }
    Object.assign(pool.sequences[0] ?? {}, { task, tokens, length: 320, promptLength: 1 })
    await pool.evaluate(pool.sequences.slice(0, 1))
    native.removeTokenCellsFromSequence(0, 320, -1)
    return seen
  }

  for (let at = 0; at < 320; at += 64) {
    native.initBatch(64)
    native.addToBatch(0, at, Uint32Array.from(tokens.slice(at, at + 64)), new Uint32Array())
    await native.decodeBatch()
  }
  expect(splitsKeys).toBe(true)
  const one = await decodeLast(1, true)
  expect(one).toMatch(/^[-\d.,e]+$/)
  expect(await decodeLast(2, true)).toBe(one)
  // What the library does by itself: if this fails, no company is needed any more.
  expect(await decodeLast(2, false)).not.toBe(one)
  greedy.dispose()
  await dispose()
  await model.dispose()
})

test.each(['flash', 'plain'] as const)(
  'four chunks in one batch have the logits of one by one: %s',
  async (attention) => {
    const { file } = await resolveModel('smollm2')
    const model = await loadNative({ file, threads: 2, gpu: false, attention })
    const batchSize = CHUNK * MAX_CHUNKS
    const { native, dispose } = await model.createContext({ sequences: 2, size: 1024, batchSize })
    const greedy = model.createSampler({ temperature: 0 })

    async function readBy(chunks: number): Promise<string> {
      native.removeTokenCellsFromSequence(0, 0, -1)
      let seen = ''
      const task = {
        tokens: Array.from({ length: 600 }, (_, i) => 500 + ((i * 7919) % 40_000)),
        promptLength: 600,
        logitsFrom: 599,
        evaluated: 0,
        onLogits: async (_: unknown, rows: Uint32Array) => {
          seen = await readLogits(native, rows[0] ?? 0, greedy)
        },
      }
      const cores = { count: () => 2, resume() {} }
      const pool = new SequencePool(native, { sequences: 2, size: 1024, dispose, cores, splitsKeys: true })
      await pool.place(task, pool.idle)
      for (let next = pool.unread(() => 0); next.sequences.length > 0; next = pool.unread(() => 0))
        await pool.evaluate(next.sequences, Math.min(chunks, next.chunks))
      expect(task.evaluated).toBe(600)
      return seen
    }

    const one = await readBy(1)
    expect(one).toMatch(/^[-\d.,e]+$/)
    expect(await readBy(MAX_CHUNKS)).toBe(one)
    greedy.dispose()
    await dispose()
    await model.dispose()
  },
)
