/** The two commands of docs/scale.md as they stand there, in two network namespaces: two machines with a cable between them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { blocksOf, commandsOf } from '../../../test/docs-page.ts'
import { countRun, grown, hasRedis, Part } from '../../../test/queue-parts.ts'

const root = path.join(import.meta.dirname, '../../..')
const [FIRST, SECOND] = [`aft-a-${process.pid}`, `aft-b-${process.pid}`]
const PROMPTS = 60
const parts: Part[] = []
let folder: string

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })

function canMakeNamespaces(): boolean {
  try {
    ip('netns', 'add', FIRST)
    ip('netns', 'del', FIRST)
    return hasRedis()
  } catch {
    return false
  }
}

/** Starts a program on one of the two machines. */
function start(machine: string, name: string, [command, ...args]: string[]): Part {
  const part = new Part(name, ['ip', ['netns', 'exec', machine, command as string, ...args]], folder).start()
  parts.push(part)
  return part
}

/** A command of the page, with its `npx aft`. */
function commandOf(verb: string): string[] {
  const page = readFileSync(path.join(root, 'docs/scale.md'), 'utf8')
  const commands = blocksOf(page).flatMap(({ code }) => commandsOf(code))
  const found = commands.find((c) => c.startsWith(`npx aft ${verb} `) && c.includes('--queue')) as string
  return [process.execPath, path.join(root, 'bin/aft.js'), ...found.split(/\s+/).slice(2)]
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aft-machines-'))
  ip('netns', 'add', FIRST)
  ip('netns', 'add', SECOND)
  ip('link', 'add', 'cable', 'netns', FIRST, 'type', 'veth', 'peer', 'name', 'cable', 'netns', SECOND)
  for (const [machine, address] of [
    [FIRST, '10.0.0.5/24'],
    [SECOND, '10.0.0.6/24'],
  ] as const) {
    ip('-n', machine, 'address', 'add', address, 'dev', 'cable')
    for (const device of ['lo', 'cable']) ip('-n', machine, 'link', 'set', device, 'up')
  }
})
afterEach(async () => {
  for (const part of parts.splice(0)) await part.kill()
  for (const machine of [FIRST, SECOND]) ip('netns', 'del', machine)
  rmSync(folder, { recursive: true, force: true })
})

test.skipIf(!canMakeNamespaces())(
  'a run on one machine is answered on another one, also over a cable that breaks for a while (skipped without root and redis-server)',
  async () => {
    const rows = Array.from({ length: PROMPTS }, (_, i) => `${JSON.stringify({ prompt: `question ${i}` })}\n`)
    writeFileSync(path.join(folder, 'prompts.jsonl'), rows.join(''))
    mkdirSync(path.join(folder, 'redis'))
    const redis = ['redis-server', '--bind', '10.0.0.5', '--protected-mode', 'no', '--appendonly', 'yes']
    const store = start(FIRST, 'redis', [...redis, '--dir', path.join(folder, 'redis')])
    const log = path.join(folder, 'upstream.asked')
    const upstream = path.join(root, 'bench/campaign-upstream.ts')
    const model = [process.execPath, upstream, '--port', '8000', '--log', log, '--ms', '4000']
    const served = start(SECOND, 'upstream', model)
    await expect.poll(() => store.log).toContain('Ready to accept connections')
    await expect.poll(() => served.log).toContain('http:')
    start(SECOND, 'work', commandOf('work'))
    const run = start(FIRST, 'run', commandOf('run'))
    const journal = path.join(folder, 'answers.jsonl.journal')
    await grown(journal, 5)
    ip('-n', FIRST, 'link', 'set', 'cable', 'down')
    await delay(4_000)
    ip('-n', FIRST, 'link', 'set', 'cable', 'up')
    await run.ended()
    expect(run.log).toContain(`${PROMPTS} of ${PROMPTS} answered`)
    expect(run.child.exitCode).toBe(0)
    const counts = countRun(journal, log)
    expect(counts.answers).toEqual({ distinct: PROMPTS, again: 0 })
    expect(counts.completions).toEqual({ distinct: PROMPTS * 4, again: 0 })
    expect(counts.sent.again).toBe(0)
  },
)
