/** For tests and benches of a level: a server in virtual time. */
import { createLevel } from './level.ts'
import { createSlots } from './slots.ts'

/**
 * A server in virtual time: it writes a token of each of its `places` texts per millisecond, and others wait.
 * @returns milliseconds for all texts, and the capacity at the end
 */
export async function simulate({
  places,
  texts,
  fixed,
  refuseAbove = Number.POSITIVE_INFINITY,
  lengthOf = () => 200,
}: {
  places: number
  texts: number
  fixed?: number
  refuseAbove?: number
  lengthOf?: (i: number) => number
}): Promise<{ ms: number; capacity: number; most: number; refusals: number }> {
  const slots = createSlots(fixed ?? 8)
  let ms = 0
  const level = fixed === undefined ? createLevel(slots, { now: () => ms }) : undefined
  let running: { left: number; done: () => void }[] = []
  let later: { left: number; done: () => void }[] = []
  let [ended, most, refusals] = [0, 0, 0]
  const ask = async (i: number): Promise<void> => {
    const grant = await slots.take(1)
    const measure = level?.begin()
    most = Math.max(most, slots.inFlight)
    if (slots.inFlight > refuseAbove) {
      refusals++
      await new Promise<void>((done) => running.push({ left: 10, done }))
      measure?.refuse()
      grant.release()
      // As the engine waits before it asks again.
      await new Promise<void>((done) => later.push({ left: 250, done }))
      return ask(i)
    }
    const length = lengthOf(i)
    await new Promise<void>((done) => running.push({ left: length, done }))
    measure?.end(length, 1)
    grant.release()
    ended++
  }
  const all = Promise.all(Array.from({ length: texts }, (_, i) => ask(i)))
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  await settle()
  while (ended < texts) {
    ms++
    for (const text of running.slice(0, places)) text.left--
    for (const one of later) one.left--
    const over = [...running, ...later].filter(({ left }) => left <= 0)
    if (over.length === 0) continue
    running = running.filter(({ left }) => left > 0)
    later = later.filter(({ left }) => left > 0)
    for (const { done } of over) done()
    await settle()
  }
  await all
  return { ms, capacity: slots.capacity, most, refusals }
}
