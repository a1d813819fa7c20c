/** A named pipe, a socket or a device in the place of a file that is read: opening it may wait for ever. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { scripted, useRunFolder } from './run-folder.fixture.ts'

const { aft, at, writePrompts } = useRunFolder(aftHere)

const launcher = path.join(import.meta.dirname, '../../../bin/aft.js')
const run = ['run', 'p.jsonl', '-o', 'a.jsonl']
const judged = ['--judge', 'scripted:echo']
const model = ['--model', 'scripted:echo']
const build = ['data', 'build', 'rows.jsonl', '--format', 'responses', '--target', 'gold', '-o', 'out']
const alpaca = ['eval', 'alpaca-eval', '--outputs', 'ae.json', '--baseline', 'ae.json', ...judged]
const serve = ['serve', '--port', '0', ...model]

/** `@` is the place of the name. */
const reads: string[][] = [
  ['run', '@', '-o', 'a.jsonl', ...scripted],
  [...run, '--model', 'scripted:@'],
  [...run, '--model', 'gguf:@'],
  [...run, '--model', '@'],
  [...run, ...model, '--config', '@'],
  [...run, ...model, '--config', '@.json'],
  [...run, ...model, '--schema', '@'],
  [...run, ...model, '--template', './@'],
  ['plan', '@'],
  ['data', 'build', '@', '--format', 'responses', '--target', 'gold', '-o', 'out'],
  [...build.filter((arg) => !/gold|--target/.test(arg)), '--target-file', '@'],
  [...build, '--decontaminate', 'all', '--benchmarks', '@'],
  ['data', 'show', '@'],
  ['data', 'validate', '@'],
  ['data', 'propose', '@', '-o', 'a.jsonl', ...model],
  ['data', 'propose', 'p.jsonl', '-o', 'a.jsonl', '--base', '--demonstrations', '@', ...model],
  ['data', 'label', '@', '-o', 'a.jsonl', ...model],
  ['data', 'export', '@', '-o', 'out', '--to', 'trl'],
  ['data', 'merge', '@', '-o', 'out'],
  ['data', 'push', '@', 'me/name'],
  ['export', '@', '-o', 'a.html'],
  ['export', '@.json', '-o', 'a.html'],
  ['report', '@', '-o', 'a.html'],
  ['report', '@.json', '-o', 'a.html'],
  ['journal', 'check', '@'],
  ['journal', 'repair', '@'],
  ['train', '@', '-d', 'dir', '-o', 'out'],
  ['train', '--finish', '@'],
  ['train', 'export', '@', '-o', 'out'],
  ['train', 'push', '@', 'me/name'],
  [...serve, '--client-key-file', '@'],
  [...serve, '--usage-store', '@'],
  [...serve, '--fixes', '@'],
  [...serve, '--ratings', '@'],
  [...serve, '--show-run', '@'],
  ['eval', 'gsm8k', '@', '-o', 'out', ...model],
  ['eval', 'ifeval', '@', '-o', 'out', ...model],
  ['eval', 'mt-bench', '@', '-o', 'out', ...model, ...judged],
  ['eval', 'alpaca-eval', '--outputs', '@', '--baseline', 'ae.json', ...judged],
  [...alpaca, '--judge-template', '@'],
  [...alpaca, '-o', 'out', '--gamed', '@', '--instruction-difficulty', '@'],
  ['eval', 'win-rate', '--annotations', '@'],
  ['eval', 'win-rate', '--annotations', 'an.json', '--gamed', '@', '--instruction-difficulty', '@'],
  ['eval', 'table', '@'],
  ['analyze', 'attribution', '@'],
  ['analyze', 'overhead', '@'],
  ['analyze', 'influence', '@', '-o', 'out', ...model],
  ['analyze', 'scaling', '@', '-o', 'out', '--widths', '2', ...model],
  ['analyze', 'perplexity', '@', '-o', 'out', ...model],
  ['analyze', 'perplexity', '@', '-o', 'out', '--format', 'responses', ...model],
  ['analyze', 'convergence', '@'],
]

test.each(reads.map((args) => [args.join(' '), args] as const))('%s is refused', async (_, args) => {
  writePrompts(1)
  mkdirSync(at('dir'))
  writeFileSync(at('rows.jsonl'), '{"prompt":"a","responses":["b","c"],"target":"d"}\n')
  writeFileSync(at('ae.json'), '[{"instruction":"a","output":"b","generator":"g"}]')
  writeFileSync(at('an.json'), '[{"instruction":"a","output_1":"b","output_2":"c","preference":1.5}]')
  for (const name of ['pipe', 'pipe.json']) execFileSync('mkfifo', [at(name)])
  const names = args.includes('@.json') ? ['pipe'] : ['pipe', '/dev/zero']
  for (const name of names) {
    const { code, stderr } = await aft(args.map((arg) => arg.replace('@', name).replace('.//', '/')))
    expect({ name, code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/pipe|zero/) })
    expect(stderr).not.toMatch(/ENOTDIR|TypeError|Maximum|Invalid string length/)
  }
})

test('a build that is refused ends at once', () => {
  const args = [launcher, ...build.map((arg) => arg.replace('rows.jsonl', '/dev/zero'))]
  expect(spawnSync(process.execPath, args, { cwd: at('.'), timeout: 55_000 }).status).toBe(2)
})

test('a pipe that the shell has opened is read to its end, each row once', () => {
  const rows = Array.from({ length: 5_000 }, (_, i) => {
    return JSON.stringify({
      prompt: `question ${i} of ${'many '.repeat(20)}`,
      responses: ['b', 'c'],
      target: 'd',
    })
  })
  writeFileSync(at('rows.jsonl'), rows.join('\n'))
  const line = `"$0" "$1" data build <(cat rows.jsonl) --format responses --target gold -o out`
  const bash = (more: string) =>
    spawnSync('bash', ['-c', `${line} ${more}`, process.execPath, launcher], {
      cwd: at('.'),
      encoding: 'utf8',
    })
  expect(bash('').stderr).toContain('5000 rows read')
  expect(existsSync(at('out/train.jsonl'))).toBe(true)
  expect(bash('--restart --shard 1/2')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('a pipe'),
  })
})
