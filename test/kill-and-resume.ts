/** A command with a journal, killed while completions are under way, then run again. For tests and benches. */
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
  /** Completions that the journal held when the process was killed. */
  keptCompletions: number
  /** Whether what the journal held then, up to its last whole line, is still what it begins with. */
  isPrefixKept: boolean
  secondsToKill: number
  secondsAfter: number
}

/** Completions of a journal's whole lines, those left out that were there before anything was sampled. */
export function readCompletions(journal: string): JournalCompletion[] {
  if (!existsSync(journal)) return []
  const whole = readFileSync(journal, 'utf8').split('\n').slice(0, -1)
  return whole
    .map((line) => JSON.parse(line))
    .filter(({ type, usage }) => type === 'completion' && usage.outputTokens > 0)
}

/** Runs a command, kills it with SIGKILL when its journal holds so many completions, and runs it again. */
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
