/** For tests of `aft run`: a folder per test, and what a run leaves in it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { type AftOptions, aft, type Ended } from '../../../test/command-line.ts'

/** Flags of a small plan: three completions per prompt. */
export const small = ['--width', '2', '--depth', '1']
/** The same, answered by a script. */
export const scripted = ['--model', 'scripted:echo', ...small]

/** Makes a folder before each test and removes it after. `command` runs the command line: by default in a process of its own. */
export function useRunFolder(command: (args: string[], options?: AftOptions) => Promise<Ended> = aft) {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cli-run-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const at = (name: string) => join(folder, name)
  const readLines = (name: string) =>
    readFileSync(at(name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  return {
    /** Path of a file of the folder. */
    at,
    /** Runs any command in the folder. */
    aft: (args: string[], options?: AftOptions) => command(args, { cwd: folder, ...options }),
    /** `aft run p.jsonl -o a.jsonl …` in the folder. */
    run: (args: string[], options?: AftOptions) =>
      command(['run', 'p.jsonl', '-o', 'a.jsonl', ...args], { cwd: folder, ...options }),
    /** Writes `p.jsonl`. */
    writePrompts(count: number): void {
      const rows = Array.from(
        { length: count },
        (_, i) => `${JSON.stringify({ prompt: `question ${i} of many` })}\n`,
      )
      writeFileSync(at('p.jsonl'), rows.join(''))
    },
    answers: () => readLines('a.jsonl'),
    /** The journal has this many completions, each once. */
    expectNothingTwice(count: number): void {
      const made = readLines('a.jsonl.journal')
        .filter((record) => record.type === 'completion')
        .map(({ prompt, layer, index }) => `${prompt} ${layer} ${index}`)
      expect(new Set(made).size).toBe(made.length)
      expect(made).toHaveLength(count)
    },
    /** Runs something with a file system in memory at `name`, mounted with these options. */
    async withMount(name: string, options: string, work: () => Promise<void>): Promise<void> {
      mkdirSync(at(name))
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at(name)])
      try {
        await work()
      } finally {
        execFileSync('umount', [at(name)])
      }
    },
  }
}

/** Mounting needs root, and a system that lets it. */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
