/** For tests and benches: runs a command with a journal, kills it during its completions, and runs it again. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { aft, type Ended } from './command-line.ts'

/** A completion as a journal has it. */
export interface JournalCompletion {
  prompt: string
  layer: number
  index: number
  text: string
  finishReason: string
  usage: { calls: number; inputTokens: number; outputTokens: number }
}

export interface Resumed {
  ended: Ended
  /** Completions in the journal when the process was killed. */
  keptCompletions: number
  /** True if the journal still begins with the complete lines that it had then. */
  isPrefixKept: boolean
  secondsToKill: number
  secondsAfter: number
}

/** Reads the completions of a journal's complete lines, without those from before the first sampling. */
export function readCompletions(journal: string): JournalCompletion[] {
  if (!existsSync(journal)) return []
  const whole = readFileSync(journal, 'utf8').split('\n').slice(0, -1)
  return whole
    .map((line) => JSON.parse(line))
    .filter(({ type, usage }) => type === 'completion' && usage.outputTokens > 0)
}

/** Runs a command, kills it with SIGKILL when its journal has this many completions, and runs it again. */
export async function killAndResume(
  args: string[],
  { cwd, journal, completions }: { cwd: string; journal: string; completions: number },
): Promise<Resumed> {
  const file = path.join(cwd, journal)
  const start = performance.now()
  const killed = await aft(args, {
    cwd,
    during: async (child) => {
      while (child.exitCode === null && readCompletions(file).length < completions) await delay(20)
      child.kill('SIGKILL')
    },
  })
  if (killed.signal !== 'SIGKILL') throw new Error(`it ended before it could be killed: ${killed.stderr}`)
  const middle = performance.now()
  const kept = readFileSync(file)
  const whole = kept.subarray(0, kept.lastIndexOf('\n') + 1)
  const keptCompletions = readCompletions(file).length
  const ended = await aft(args, { cwd })
  return {
    ended,
    keptCompletions,
    isPrefixKept: readFileSync(file).subarray(0, whole.length).equals(whole),
    secondsToKill: (middle - start) / 1000,
    secondsAfter: (performance.now() - middle) / 1000,
  }
}
