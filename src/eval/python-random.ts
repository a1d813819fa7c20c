/**
 * Python's `random.Random(text)`: the Mersenne Twister MT19937 with a text as its seed, as in Python 3. It repeats
 * random choices that published Python programs have made.
 */
import { createHash } from 'node:crypto'

const SIZE = 624
const SHIFT = 397

/** Makes a generator of numbers from 0 to below 1, the same as `random.Random(seed).random()` in Python. */
export function createPythonRandom(seed: string): () => number {
  const state = seedByKey(toKey(seed))
  let place = SIZE
  const next = () => {
    if (place === SIZE) {
      twist(state)
      place = 0
    }
    let y = state[place++] as number
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
  return () => {
    const [high, low] = [next() >>> 5, next() >>> 6]
    return (high * 2 ** 26 + low) / 2 ** 53
  }
}

/** Turns the text and its SHA-512 into one large number, as 32-bit words, the lowest first. */
function toKey(seed: string): Uint32Array {
  const text = Buffer.from(seed, 'utf8')
  const bytes = Buffer.concat([text, createHash('sha512').update(text).digest()]).reverse()
  const key = new Uint32Array(Math.ceil(bytes.length / 4))
  for (const [i, byte] of bytes.entries()) key[i >> 2] = (key[i >> 2] as number) | (byte << (8 * (i & 3)))
  let words = key.length
  while (words > 1 && key[words - 1] === 0) words--
  return key.subarray(0, words)
}

function seedByKey(key: Uint32Array): Uint32Array {
  const state = new Uint32Array(SIZE)
  state[0] = 19650218
  for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, mixed(state, i)) + i
  let [i, j] = [1, 0]
  const advance = () => {
    if (++i < SIZE) return
    state[0] = state[SIZE - 1] as number
    i = 1
  }
  for (let k = Math.max(SIZE, key.length); k > 0; k--) {
    state[i] = ((state[i] as number) ^ Math.imul(mixed(state, i), 1664525)) + (key[j] as number) + j
    j = (j + 1) % key.length
    advance()
  }
  for (let k = SIZE - 1; k > 0; k--) {
    state[i] = ((state[i] as number) ^ Math.imul(mixed(state, i), 1566083941)) - i
    advance()
  }
  state[0] = 0x80000000
  return state
}

function mixed(state: Uint32Array, i: number): number {
  const before = state[i - 1] as number
  return before ^ (before >>> 30)
}

function twist(state: Uint32Array): void {
  for (let i = 0; i < SIZE; i++) {
    const y = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % SIZE] as number) & 0x7fffffff)
    state[i] = (state[(i + SHIFT) % SIZE] as number) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
  }
}
