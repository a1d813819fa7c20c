import { expect, test } from 'vitest'
import { mapInWorkers, type Parcel } from './worker-pool.ts'

const entry = new URL('./worker-pool.fixture.ts', import.meta.url)

async function* count(to: number): AsyncGenerator<Parcel<number>> {
  for (let value = 0; value < to; value++) yield { value }
}

async function collect(pieces: AsyncIterable<Parcel<number>>, workers: number): Promise<number[]> {
  const results: number[] = []
  for await (const result of mapInWorkers<number, number>(pieces, { entry, data: 10, workers })) {
    results.push(result)
  }
  return results
}

test.each([1, 2, 3])('results of %i workers come in the order of the pieces', async (workers) => {
  expect(await collect(count(20), workers)).toEqual(Array.from({ length: 20 }, (_, i) => 10 + i))
})

test('what a worker or the source of the pieces throws is thrown, in its turn', async () => {
  await expect(collect(count(40), 2)).rejects.toThrow('30 is too much')
  async function* broken() {
    yield { value: 1 }
    throw new Error('no more')
  }
  await expect(collect(broken(), 2)).rejects.toThrow('no more')
})
