import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { type AftOptions, aft } from './command-line.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-launcher-'))

/** A Node that cannot run TypeScript, as Node 20 cannot. */
const old: AftOptions = { nodeFlags: ['--no-experimental-strip-types'] }

describe('started by an old Node', () => {
  test('the command line runs with the Node of `npm ci`: output, input and exit code pass', async () => {
    const args = ['ask', '--model', 'scripted:echo', '--seed', '1', '--no-progress']
    expect(await aft(args, { ...old, input: 'Why?' })).toEqual(await aft(args, { input: 'Why?' }))
    expect(await aft(['ask', '--bogus'], old)).toMatchObject({
      code: 2,
      stderr: 'error: aft ask has no flag --bogus; aft ask --help lists the flags\n',
    })
  })

  const slow = path.join(folder, 'slow.json')
  writeFileSync(slow, JSON.stringify({ rules: [{ replies: [{ text: 'never', delayMs: 600_000 }] }] }))
  const ask = ['ask', 'Why?', '--model', `scripted:${slow}`, '--events']

  test.each([
    ['SIGINT', { code: 130, signal: null }],
    ['SIGTERM', { code: 143, signal: null }],
    ['SIGKILL', { code: null, signal: 'SIGKILL' }],
  ] as const)('%s ends both processes', async (signal, ended) => {
    // The output closes only when the second process has ended as well.
    const during: AftOptions['during'] = (child) => child.stdout?.once('data', () => child.kill(signal))
    expect(await aft(ask, { ...old, during })).toMatchObject(ended)
  })

  test.each([
    [
      'without an installed Node says what to do',
      ['node_modules'],
      /^aft needs Node 22.18 or newer, and this is v.* or run `npm ci`\.\n$/,
    ],
    ['before `npm ci` says so', [], /^aft is not installed yet: run `npm ci` in its folder\.\n$/],
  ])('a checkout %s', (_, folders, message) => {
    const checkout = mkdtempSync(path.join(folder, 'checkout-'))
    cpSync(path.join(import.meta.dirname, '../bin'), path.join(checkout, 'bin'), { recursive: true })
    for (const name of ['src/apps/cli', ...folders]) mkdirSync(path.join(checkout, name), { recursive: true })
    writeFileSync(path.join(checkout, 'package.json'), '{"type": "module"}')
    writeFileSync(path.join(checkout, 'src/apps/cli/main.ts'), '')
    const args = [...(old.nodeFlags ?? []), path.join(checkout, 'bin/aft.js')]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(stderr).toMatch(message)
    expect(status).toBe(1)
  })
})

test('an experimental feature of Node is not announced to the user; a deprecated one is', async () => {
  const warn = (type: string) => `process.emitWarning('a feature', '${type}');`
  const config = path.join(folder, 'aft.config.js')
  writeFileSync(config, `${warn('ExperimentalWarning')}${warn('DeprecationWarning')} export default {}`)
  const { stderr } = await aft(['ask', 'Why?', '--model', 'scripted:echo', '--config', config])
  expect(stderr).toContain('DeprecationWarning: a feature')
  expect(stderr).not.toContain('ExperimentalWarning')
})
