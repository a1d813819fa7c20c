/** For tests: runs a command once for each of its writes, and each time another one fails. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { aftHere } from './aft-here.ts'
import { type Fault, failingDisk } from './failing-disk.ts'

/** A command, and what must be true of its folder. */
export interface Writing {
  /** Fills the folder. */
  prepare(folder: string): void | Promise<void>
  /** Runs the command in the folder; without it, the command line with `args`. */
  work?(folder: string): Promise<{ code: number | null; stderr: string }>
  args?: string[]
  /** The same after a failure; default: the same command, which resumes. */
  again?: string[]
  /** Files and folders that must be whole whenever they are there. */
  outputs: string[]
  /** Journals: nothing that was in them may be lost, and nothing made twice. */
  journals?: string[]
}

const faults: Fault[] = ['full', 'torn', 'short']

/**
 * Fails each operation of the command once in each way. After each: a failure was said with its cause and an exit code,
 * every output is absent, old or whole, the next run ends as one without failures does, and asks for nothing again that a
 * journal had.
 * @returns how many operations failed
 */
export async function failEveryWrite(writing: Writing): Promise<number> {
  const start = mkdtempSync(path.join(tmpdir(), 'write-'))
  const template = path.join(start, 'template')
  mkdirSync(template)
  await writing.prepare(template)
  try {
    const clean = await runOnce(writing, { start, template, n: 0, fault: 'full' })
    expect({ code: clean.code, stderr: clean.code === 0 ? '' : clean.stderr }).toEqual({
      code: 0,
      stderr: '',
    })
    expect(clean.count).toBeGreaterThan(0)
    const old = readOutputs(template, writing.outputs)
    let failed = 0
    for (const fault of faults) {
      for (let n = 1; n <= clean.count; n++) {
        const ended = await runOnce(writing, { start, template, n, fault })
        if (!ended.hasFailed) continue
        failed++
        check(ended, { clean: clean.outputs, old, fault, title: `operation ${n}, ${fault}` })
      }
    }
    return failed
  } finally {
    rmSync(start, { recursive: true, force: true })
  }
}

interface Once {
  code: number | null
  stderr: string
  count: number
  hasFailed: boolean
  outputs: Record<string, string>
  /** What is in any file of the folder. */
  everything: string[]
  /** Whole lines of the journals. */
  lines: string[]
  /** After the next run without failures. */
  next: {
    code: number | null
    stderr: string
    outputs: Record<string, string>
    lines: string[]
    left: string[]
  }
}

async function runOnce(
  writing: Writing,
  { start, template, n, fault }: { start: string; template: string; n: number; fault: Fault },
): Promise<Once> {
  // One path for all, since paths stand in outputs.
  const folder = path.join(start, 'work')
  rmSync(folder, { recursive: true, force: true })
  cpSync(template, folder, { recursive: true })
  const work = (args = writing.args) => writing.work?.(folder) ?? aftHere(args ?? [], { cwd: folder })
  const disk = failingDisk(folder, n, fault)
  let ended: { code: number | null; stderr: string }
  try {
    ended = await work()
  } finally {
    disk.mend()
  }
  const { code, stderr } = ended
  const outputs = readOutputs(folder, writing.outputs)
  const lines = readLines(folder, writing.journals)
  const everything = Object.values(readOutputs(folder, listFiles(folder)))
  const next = code === 0 ? ended : await work(writing.again)
  return {
    code,
    stderr,
    count: disk.count(),
    hasFailed: disk.hasFailed(),
    outputs,
    everything,
    lines,
    next: {
      code: next.code,
      stderr: next.stderr,
      outputs: readOutputs(folder, writing.outputs),
      lines: readLines(folder, writing.journals),
      left: listFiles(folder).filter((file) => /\.(tmp|unfinished|lock)(\/|$)/.test(file)),
    },
  }
}

function check(
  { code, stderr, outputs, everything, lines, next }: Once,
  given: {
    clean: Record<string, string>
    old: Record<string, string>
    fault: Fault
    title: string
  },
): void {
  const { clean, old, fault, title } = given
  if (fault === 'short') expect({ title, code, stderr }).toMatchObject({ title, code: 0 })
  if (code !== 0) {
    expect({ title, code, stderr }).toMatchObject({ code: 1 })
    expect(stderr, title).toMatch(/no space is left|the disk reports an error|injected/)
  }
  for (const [name, content] of Object.entries(outputs)) {
    const isKnown = content === clean[name] || content === old[name]
    expect({ title, name, content: isKnown ? 'whole' : content }).toEqual({ title, name, content: 'whole' })
  }
  // What was there before is there still, if no rename works under another name.
  for (const [name, content] of Object.entries(old)) {
    const isKept = name in outputs || (fault === 'full' && everything.includes(content))
    expect({ title, name, isKept }).toMatchObject({ isKept: true })
  }
  expect({ title, code: next.code, stderr: next.code === 0 ? '' : next.stderr }).toEqual({
    title,
    code: 0,
    stderr: '',
  })
  expect({ title, ...next.outputs }).toEqual({ title, ...clean })
  expect({ title, left: next.left }).toEqual({ title, left: [] })
  for (const line of lines) expect(next.lines, `${title}: a line of the journal is lost`).toContain(line)
  const made = next.lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'completion')
  const keys = made.map(({ prompt, layer, index }) => `${prompt} ${layer} ${index}`)
  expect(new Set(keys).size, `${title}: a completion is there twice`).toBe(keys.length)
}

/** The files by their names, without times: two runs differ in these. */
function readOutputs(folder: string, names: string[]): Record<string, string> {
  const files = names.flatMap((name) => {
    const file = path.join(folder, name)
    if (!existsSync(file)) return []
    return statSync(file).isDirectory() ? listFiles(file).map((inner) => path.join(name, inner)) : [name]
  })
  return Object.fromEntries(
    files.map((name) => [name, withoutTimes(readFileSync(path.join(folder, name), 'utf8'))]),
  )
}

function withoutTimes(text: string): string {
  return text
    .replace(/"(ms|seconds|calls|pid|prefilledTokens)":\s*[\d.]+/g, '"$1":0')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
}

function readLines(folder: string, names: string[] = []): string[] {
  return names.flatMap((name) => {
    const file = path.join(folder, name)
    if (!existsSync(file)) return []
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  })
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .sort()
}
