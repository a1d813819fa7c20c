/** Checks that the command line accepts the commands of the scripts in `runs/`. It runs none of them. */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { makeProgram } from '../src/apps/cli/main.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-runs-'))
const log = path.join(folder, 'log')
const settings: Record<string, Record<string, string>> = {
  'routes.sh': { TEST: '3' }, // vitest sets it to `true`
  'routes-grid.sh': { TEST: '3' },
  'paper.sh': {
    BASE_MODEL: 'http://127.0.0.1:1/v1#base',
    SERVED: 'here',
    TRAIN: 'max_steps=3',
    LIMIT: '2',
    JUDGE: 'openai:judge',
    DRY: '',
  },
}

/** Lists the commands of a script, with `aft` and `node` replaced by programs that only record their arguments. */
function commandsOf(script: string): string[][] {
  const text = readFileSync(path.join(root, 'runs', script), 'utf8')
    .replace('set -euo pipefail', 'set -u')
    .replace(
      /^aft\(\) .*$/m,
      `aft() { printf '%s\\x1f' "$@" >>'${log}'; printf '\\x1e' >>'${log}'; echo a-path; }`,
    )
    .replace(/^node\(\) .*$/m, 'node() { :; }')
    .replace(/^updates_of\(\) .*$/m, 'updates_of() { echo 2; }')
  expect(text).not.toMatch(/npx|node_modules/)
  execFileSync(
    'bash',
    ['-c', `: >'${log}'\n${text}`, `runs/${script}`, path.join(folder, 'one'), path.join(folder, 'two')],
    {
      cwd: root,
      env: { ...process.env, ...settings[script], OUT: path.join(folder, script) },
      stdio: 'pipe',
    },
  )
  const lines = readFileSync(log, 'utf8').split('\x1e').slice(0, -1)
  return lines.map((line) => line.split('\x1f').slice(0, -1))
}

function disarm(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {} })
  command.action(() => {})
  for (const sub of command.commands) disarm(sub)
}

const scripts = globSync('*.sh', { cwd: path.join(root, 'runs') }).sort()

test.runIf(process.platform !== 'win32').each(scripts)(
  '%s calls aft as its command line is',
  async (script) => {
    const commands = commandsOf(script)
    expect(commands.length).toBeGreaterThan(3)
    for (const argv of commands) {
      const program = await makeProgram(argv)
      disarm(program)
      const parse = program.parseAsync(argv, { from: 'user' })
      await parse.catch((error) => expect.fail(`aft ${argv.join(' ')}: ${error.message}`))
    }
  },
)
