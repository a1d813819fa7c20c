import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSlots, type Grant } from './slots.ts'

/** Lets every promise that can settle do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('slots', () => {
  it('grants all that is wanted if so many are free, else as many as are', async () => {
    const slots = createSlots(8)
    expect((await slots.take(5)).count).toBe(5)
    expect((await slots.take(5)).count).toBe(3)
    expect(slots.inFlight).toBe(8)
  })

  it('grants each slot again the moment it is released', async () => {
    const slots = createSlots(2)
    const first = await slots.take(2)
    const second = slots.take(2)
    first.release(1)
    expect((await second).count).toBe(1)
    expect(slots.inFlight).toBe(2)
  })

  it('grants together what is released in one turn, one by one or not', async () => {
    const slots = createSlots(5)
    const first = await slots.take(5)
    const second = slots.take(5)
    for (let i = 0; i < 5; i++) first.release(1)
    expect((await second).count).toBe(5)
  })

  it('serves the lower priority number first, then who came first', async () => {
    const slots = createSlots(1)
    let held = await slots.take(1)
    const order: string[] = []
    for (const [name, priority] of [
      ['a', 1],
      ['b', 0],
      ['c', 1],
      ['d', -3],
      ['e', 0],
    ] as const) {
      void slots.take(1, { priority }).then((grant) => {
        order.push(name)
        held = grant
      })
    }
    for (let i = 0; i < 5; i++) {
      held.release()
      await settle()
    }
    expect(order).toEqual(['d', 'b', 'e', 'a', 'c'])
  })

  it('keeps the turn of a taker that comes back for the rest', async () => {
    const slots = createSlots(1)
    const part = await slots.take(2)
    const other = slots.take(1)
    const rest = slots.take(1, { turn: part.turn })
    const order: string[] = []
    void other.then(() => order.push('other'))
    void rest.then(() => order.push('rest'))
    part.release()
    await settle()
    expect(order).toEqual(['rest'])
  })

  it('keeps places idle for a taker that wants more at once, but never more than there are', async () => {
    const slots = createSlots(4)
    const first = await slots.take(3)
    const whole = slots.take(3, { least: 3 })
    const behind = slots.take(1)
    first.release(1)
    await settle()
    expect(slots.waiting).toBe(2)
    first.release(1)
    expect((await whole).count).toBe(3)
    first.release()
    expect((await behind).count).toBe(1)
    const more = slots.take(9, { least: 9 })
    ;(await whole).release()
    ;(await behind).release()
    expect((await more).count).toBe(4)
  })

  it('lets in who was behind a taker that left', async () => {
    const slots = createSlots(2)
    await slots.take(1)
    const leaver = new AbortController()
    const left = slots.take(2, { least: 2, signal: leaver.signal })
    const behind = slots.take(1)
    leaver.abort('gone')
    await expect(left).rejects.toBe('gone')
    expect((await behind).count).toBe(1)
  })

  it('takes an aborted taker out of the queue and rejects with the reason', async () => {
    const slots = createSlots(1)
    const held = await slots.take(1)
    const leaver = new AbortController()
    const left = slots.take(1, { signal: leaver.signal })
    const stays = slots.take(1)
    expect(slots.waiting).toBe(2)
    leaver.abort('gone')
    await expect(left).rejects.toBe('gone')
    expect(slots.waiting).toBe(1)
    held.release()
    expect((await stays).count).toBe(1)
    await expect(slots.take(1, { signal: leaver.signal })).rejects.toBe('gone')
  })

  it('gives back a place once, however often it is released', async () => {
    const slots = createSlots(3)
    const grant = await slots.take(2)
    await slots.take(1)
    grant.release(5)
    grant.release()
    expect(slots.inFlight).toBe(1)
  })

  it('lets in at once who fits into a larger capacity, and nobody into a smaller one', async () => {
    const slots = createSlots(1)
    const first = await slots.take(1)
    const second = slots.take(3)
    slots.capacity = 3
    expect((await second).count).toBe(2)
    slots.capacity = 1
    first.release()
    const third = slots.take(1)
    await settle()
    expect(slots.waiting).toBe(1)
    ;(await second).release()
    expect((await third).count).toBe(1)
  })

  it('never has more in flight than places, nor enough idle for whoever is next, in the right order', async () => {
    const action = fc.oneof(
      fc.record({
        type: fc.constant('take' as const),
        want: fc.integer({ min: 1, max: 7 }),
        least: fc.integer({ min: 1, max: 3 }),
        priority: fc.integer({ min: 0, max: 2 }),
      }),
      fc.record({
        type: fc.constant('release' as const),
        which: fc.nat(),
        places: fc.integer({ min: 1, max: 7 }),
      }),
      fc.record({ type: fc.constant('abort' as const), which: fc.nat() }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(action, { maxLength: 60 }),
        async (capacity, actions) => {
          const slots = createSlots(capacity)
          const waiting: {
            priority: number
            turn: number
            want: number
            least: number
            abort: AbortController
          }[] = []
          const held: { grant: Grant; left: number }[] = []
          let turn = 0
          for (const a of actions) {
            if (a.type === 'take') {
              const taker = { ...a, turn: turn++, abort: new AbortController() }
              waiting.push(taker)
              slots.take(a.want, { priority: a.priority, least: a.least, signal: taker.abort.signal }).then(
                (grant) => {
                  const ahead = waiting.filter(
                    (w) =>
                      w.priority < taker.priority || (w.priority === taker.priority && w.turn < taker.turn),
                  )
                  expect(ahead).toEqual([])
                  expect(grant.count).toBeGreaterThanOrEqual(Math.min(taker.least, taker.want, capacity))
                  expect(grant.count).toBeLessThanOrEqual(taker.want)
                  waiting.splice(waiting.indexOf(taker), 1)
                  held.push({ grant, left: grant.count })
                },
                () => waiting.splice(waiting.indexOf(taker), 1),
              )
            } else if (a.type === 'release' && held.length > 0) {
              const one = held[a.which % held.length] as (typeof held)[number]
              one.grant.release(a.places)
              one.left -= Math.min(one.left, a.places)
            } else if (a.type === 'abort' && waiting.length > 0) {
              waiting[a.which % waiting.length]?.abort.abort('left')
            }
            await settle()
            const inFlight = held.reduce((sum, { left }) => sum + left, 0)
            expect(slots.inFlight).toBe(inFlight)
            expect(inFlight).toBeLessThanOrEqual(capacity)
            expect(slots.waiting).toBe(waiting.length)
            const [next] = waiting.sort((a, b) => a.priority - b.priority || a.turn - b.turn)
            if (next) expect(capacity - inFlight).toBeLessThan(Math.min(next.least, next.want, capacity))
          }
        },
      ),
      { numRuns: 100 },
    )
  })
})
