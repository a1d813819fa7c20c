import { expect, test } from 'vitest'
import type { NativeContext } from './native.ts'
import { SequencePool, type Task } from './sequence-pool.ts'

/** A context that evaluates nothing, and notes what each batch had. */
function fakeContext() {
  const batches: { sequences: number[]; threads: number }[] = []
  const removed: [sequence: number, start: number][] = []
  let sequences: number[] = []
  let threads = 4
  const native: Partial<NativeContext> = {
    initBatch: () => {
      sequences = []
    },
    addToBatch: (sequence, _, __, logitsAt) => {
      sequences.push(sequence)
      return logitsAt
    },
    decodeBatch: async () => {
      batches.push({ sequences, threads })
    },
    removeTokenCellsFromSequence: (sequence, start) => removed.push([sequence, start]) > 0,
    copySequenceStateFromOtherSequence: async () => 0,
    getThreads: () => 4,
    setThreads: (count) => {
      threads = count
    },
  }
  return { native: native as NativeContext, batches, removed }
}

/** A task with one token left after `length` others. */
const oneMore = (length: number): Task => ({
  tokens: Array.from({ length: length + 1 }, (_, i) => i),
  promptLength: 1,
  logitsFrom: length,
  evaluated: 0,
  onLogits: async () => {},
})

const cases: [
  string,
  { length?: number; places?: number[]; splitsKeys?: boolean; cores?: number },
  object,
][] = [
  ['a token alone gets company', {}, { sequences: [0, 1], threads: 4 }],
  ['company before it, if it is in the last place', { places: [2] }, { sequences: [1, 2], threads: 4 }],
  ['two tokens are company enough', { places: [0, 1] }, { sequences: [0, 1], threads: 4 }],
  ['a short text needs none', { length: 255 }, { sequences: [0], threads: 4 }],
  ['one thread needs none', { cores: 1 }, { sequences: [0], threads: 1 }],
  ['nor a library that splits nothing', { splitsKeys: false }, { sequences: [0], threads: 4 }],
]
test.each(cases)('%s', async (_, { length = 256, places = [0], splitsKeys = true, cores = 9 }, expected) => {
  const { native, batches, removed } = fakeContext()
  const gauge = { count: () => cores, resume() {} }
  const dispose = async () => {}
  const pool = new SequencePool(native, { sequences: 3, size: 512, dispose, cores: gauge, splitsKeys })
  const taken = pool.sequences.filter(({ id }) => places.includes(id))
  for (const sequence of taken) Object.assign(sequence, { task: oneMore(length), length })
  await pool.evaluate(taken)
  expect(batches).toEqual([expected])
  const added = (expected as { sequences: number[] }).sequences.filter((id) => !places.includes(id))
  expect(removed).toEqual(added.map((id) => [id, 0]))
  expect(pool.evaluated).toBe(places.length)
  expect(pool.sequences.map(({ length }) => length)).toEqual(
    [0, 1, 2].map((id) => (places.includes(id) ? length + 1 : 0)),
  )
})

test('without an idle neighbor, a token alone is decoded by one thread', async () => {
  const { native, batches } = fakeContext()
  const gauge = { count: () => 9, resume() {} }
  const options = { sequences: 2, size: 512, dispose: async () => {}, cores: gauge, splitsKeys: true }
  const pool = new SequencePool(native, options)
  for (const sequence of pool.sequences) Object.assign(sequence, { task: oneMore(300), length: 300 })
  await pool.evaluate(pool.sequences.slice(0, 1))
  expect(batches).toEqual([{ sequences: [0], threads: 1 }])
})

const newPool = (native: NativeContext, sequences: number) =>
  new SequencePool(native, {
    sequences,
    size: 2048,
    dispose: async () => {},
    cores: { count: () => 2, resume() {} },
    splitsKeys: true,
  })

/** A prompt of which `length` tokens are read. */
const prompt = (tokens: number): Task => ({ ...oneMore(tokens - 1), promptLength: tokens })

/** Sets what is where: `w` writes, `r` has begun to read, `n` has read nothing yet, `.` is free. */
function fill(pool: SequencePool, places: string) {
  for (const [id, place] of [...places].entries()) {
    const length = { w: 100, r: 64 }[place] ?? 0
    const task = place === 'w' ? oneMore(length) : place === '.' ? undefined : prompt(400)
    Object.assign(pool.sequences[id] ?? {}, { task, tokens: task?.tokens ?? [], length })
  }
}

function show({ sequences }: SequencePool): string {
  const nameOf = (left: number, length: number) => (left === 1 ? 'w' : length > 0 ? 'r' : 'n')
  return sequences
    .map(({ task, length }) => (task ? nameOf(task.tokens.length - length, length) : '.'))
    .join('')
}

const gaps: [before: string, after: string][] = [
  ['w.w.w', 'www..'],
  ['.w..w', '.ww..'],
  ['wwnww', 'wwwwn'],
  ['wnw.w', 'www.n'],
  ['wrw..', 'ww..r'],
  ['w.wrw', 'wwwr.'],
  ['wrwww', 'wrwww'],
  ['nr..', 'nr..'],
]
test.each(gaps)('what is written is neighbors, and what is read behind them: %s', async (before, after) => {
  const { native } = fakeContext()
  const pool = newPool(native, before.length)
  fill(pool, before)
  await pool.closeGaps(pool.idle)
  expect(show(pool)).toBe(after)
})

test.each([
  ['one prompt', [400], [[0], 4]],
  ['two prompts', [400, 400], [[0, 1], 2]],
  ['three', [400, 400, 400], [[0, 1, 2], 1]],
  ['at most four', [400, 400, 400, 400, 400], [[0, 1, 2, 3], 1]],
  ['no more than the shortest has', [400, 100], [[0, 1], 1]],
  ['the last part alone', [40, 400], [[0], 1]],
] as const)('chunks of a batch: %s', (_, lengths, [places, chunks]) => {
  const pool = newPool(fakeContext().native, lengths.length)
  for (const [id, length] of lengths.entries())
    Object.assign(pool.sequences[id] ?? {}, { task: prompt(length) })
  const order = pool.sequences.map(({ task }) => task)
  const unread = pool.unread((task) => order.indexOf(task))
  expect(unread.sequences.map(({ id }) => id)).toEqual(places)
  expect(unread.chunks).toBe(chunks)
})
