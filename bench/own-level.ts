/**
 * The number of completions at a time that is found, compared with fixed ones, at three servers of unlike size, in virtual
 * time: the real level and slots, and servers that write a token of each of their first texts per step while others wait.
 *
 *   npm run bench -- own-level
 */
import { simulate } from '../src/lib/level.fixture.ts'
import { printTable, saveResults } from './table.ts'

const LEVELS = [8, 16, 32, 64, 128, 256]
/** Each server gets as many texts as keep it busy for this many texts' time. */
const ROUNDS = 100
const lengthOf = (i: number) => 120 + ((i * 7919) % 160)

const rows = []
for (const places of [12, 48, 160]) {
  const texts = places * ROUNDS
  const fixed: Record<string, number> = {}
  for (const level of LEVELS) fixed[level] = (await simulate({ places, texts, fixed: level, lengthOf })).ms
  const own = await simulate({ places, texts, lengthOf })
  const best = Math.min(...Object.values(fixed))
  rows.push({
    places,
    texts,
    fixedSteps: fixed,
    ownSteps: own.ms,
    ownCapacity: own.capacity,
    ownOverBest: own.ms / best,
  })
}
printTable(
  [
    'places of the server',
    ...LEVELS.map((level) => `fixed ${level}, steps`),
    'found, steps',
    'found',
    'found / best',
  ],
  rows.map(({ places, fixedSteps, ownSteps, ownCapacity, ownOverBest }) => [
    String(places),
    ...LEVELS.map((level) => String(fixedSteps[level])),
    String(ownSteps),
    String(ownCapacity),
    ownOverBest.toFixed(3),
  ]),
)
saveResults('own-level', 'npm run bench -- own-level', { rounds: ROUNDS, rows })
