/** A worker for tests: adds; the first pieces take longest. */
import { serveWork } from './worker-pool.ts'

serveWork((start: number) => async (piece: number) => {
  if (piece >= 30) throw new Error(`${piece} is too much`)
  for (let i = 0; i < 20 - piece; i++) await null
  return { value: start + piece }
})
