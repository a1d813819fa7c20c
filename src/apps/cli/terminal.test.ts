import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { noTerminal, runInTerminal, type TerminalOptions } from '../../../test/pty.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-terminal-'))
const launcher = join(import.meta.dirname, '../../../bin/aft.js')

const answer =
  'Air scatters blue light more than red, in every direction; so does the sky of any planet with air.'
const proposal = { text: 'Because of \x1b]0;owned\x07 Rayleigh \x1b[31mscattering\x1b[0m.', delayMs: 40 }

/** The command line with a script: `proposals` in the first layer, then `aggregated`, then `final`. */
function command(
  args: string,
  { aggregated = ['Because air scatters blue.'] as unknown[], final = [answer] as unknown[] } = {},
) {
  const rules = [
    { when: 'Because air', replies: final },
    { when: 'Rayleigh', replies: aggregated },
    { replies: [proposal] },
  ]
  writeFileSync(join(folder, 'script.json'), JSON.stringify({ rules }))
  const ask = `ask 'Why is the sky blue?' --model scripted:script.json --seed 1 ${args.includes('--strategy') ? '' : '--depth 2'} ${args}`
  return `cd '${folder}'; '${process.execPath}' '${launcher}' ${ask}`
}

let shown: ReturnType<typeof runInTerminal> | undefined
/** The run that several tests look at. */
const showAll = () => (shown ??= runInTerminal(command('--width 3 --depth 2')))

describe.skipIf(noTerminal)(`the terminal${noTerminal ? ` (${noTerminal})` : ''}`, () => {
  test('shows each layer side by side, then the answer, then what it took', async () => {
    const { screen, code } = await showAll()
    const text = (await screen.read()).replaceAll(/\d+\.\d s|\d+ read/g, 'N')

    expect(text).toMatchInlineSnapshot(`
      "✓ proposals   3 · 15 tokens · N
      ── 1 ─────────────────── ✓ 5 ──  ── 2 ─────────────────── ✓ 5 ──  ── 3 ─────────────────── ✓ 5 ──
      Because of ␛]0;owned␇ Rayleigh   Because of ␛]0;owned␇ Rayleigh   Because of ␛]0;owned␇ Rayleigh
      ␛[31mscattering␛[0m.             ␛[31mscattering␛[0m.             ␛[31mscattering␛[0m.

      ✓ aggregations   3 · 12 tokens · N
      ── 1 ─────────────────── ✓ 4 ──  ── 2 ─────────────────── ✓ 4 ──  ── 3 ─────────────────── ✓ 4 ──
      Because air scatters blue.       Because air scatters blue.       Because air scatters blue.

      ── answer ─────────────────────────────────────────────────────────────────────────────────────────
      Air scatters blue light more than red, in every direction; so does the sky of any planet with air.

      7 completions in 3 calls · 46 tokens written, N · N · scripted:script.json · seed 1"
    `)
    expect(code).toBe(0)
    expect(await screen.isCursorHidden()).toBe(false)
  })

  test('redraws in synchronized updates', async () => {
    const { raw } = await showAll()
    expect(raw.match(/\x1b\[\?2026h/g)?.length).toBeGreaterThan(1)
    expect(raw.match(/\x1b\[\?2026h/g)?.length).toBe(raw.match(/\x1b\[\?2026l/g)?.length)
  })

  test('obeys no escape sequence that a model writes', async () => {
    const { raw } = await runInTerminal(command('--strategy single'))
    expect(raw).not.toContain('\x1b]0;owned')
    expect(raw).not.toContain('\x1b[31m')
    expect(raw).toContain('␛]0;owned␇')
  })

  test('says once above the answer what is missing', async () => {
    const aggregated = ['Because air scatters blue.', { error: { kind: 'timeout', message: 'too slow' } }]
    const { screen } = await runInTerminal(command('--width 2 --depth 2', { aggregated }))
    const text = await screen.read()
    expect(text).toMatch(/^✗ 2 {2}timeout: too slow$/m)
    expect(text.match(/timeout/g)).toHaveLength(1)
    expect(text.indexOf('timeout')).toBeLessThan(text.indexOf('── answer'))
  })

  test('shows the best proposal in full if the aggregator failed half way', async () => {
    const final = [{ text: 'Half of an', error: { kind: 'server', message: 'broken' } }]
    const { screen } = await runInTerminal(command('--width 2 --depth 2', { final }))
    const text = await screen.read()
    expect(text).toMatch(/Half of an\n✗ failed: broken\n/)
    expect(text).toMatch(
      /degraded: layer 3 gave nothing usable.*── answer: layer 2, completion 1 ─+\nBecause air scatters blue\.\n/s,
    )
  })

  test('says that an answer repeats itself, and shows the one that was sampled again', async () => {
    const final = ['on and on it goes '.repeat(30), answer]
    const { screen, code } = await runInTerminal(command('--width 3', { final }))
    const text = await screen.read()
    expect(text).toContain('✗ repeats itself')
    expect(text).toContain('✗ starts again: the answer repeats itself and is sampled again')
    expect(text.indexOf('Air scatters blue light')).toBeGreaterThan(text.indexOf('✗ starts again'))
    expect(code).toBe(0)
  })

  test('has no colors if NO_COLOR is set', async () => {
    const colors = /\x1b\[[\d;]*m/
    const options: TerminalOptions = { env: { NO_COLOR: '1' } }
    expect((await runInTerminal(command('--width 2 --depth 2'), options)).raw).not.toMatch(colors)
    expect((await showAll()).raw).toMatch(colors)
  })

  test('gets ASCII signs if its locale has no Unicode', async () => {
    const { screen } = await runInTerminal(command('--width 2 --depth 2'), { env: { LC_ALL: 'C' } })
    const text = await screen.read()
    expect(text).toMatch(/^\+ proposals {3}2 - 10 tokens - /)
    expect(text).toMatch(/^-- answer -+$/m)
    expect(text).not.toMatch(/[─✓·…]/)
  })

  test('gets no escape sequence at all if it is dumb', async () => {
    const { raw } = await runInTerminal(command('--width 2 --depth 2'), { env: { TERM: 'dumb' } })
    expect(raw).not.toContain('\x1b')
    expect(raw).toContain(answer.slice(0, 20))
  })

  test('gets its cursor back at Ctrl-C, and the exit code is 130', async () => {
    let isTyped = false
    const type = (raw: string) => {
      if (isTyped || !raw.includes('Because')) return undefined
      isTyped = true
      return '\x03'
    }
    const { screen, code } = await runInTerminal(command('--width 3 --depth 2'), { type })
    expect(code).toBe(130)
    expect(await screen.isCursorHidden()).toBe(false)
    const text = await screen.read()
    expect(text).toMatch(/── 1 ─+ ■ stopped \d ──/)
    expect(text).toMatch(/^Because/m)
    expect(text).toMatch(/^stopped after .* s: 0 of 7 completions, about \d+ tokens written$/m)
    expect(text).not.toContain('── answer')
  })

  test('shows the progress of a piped answer, and does not change the answer', async () => {
    const out = join(folder, 'out.txt')
    const { screen, raw } = await runInTerminal(`${command('--width 3 --depth 2')} > ${out}`)
    expect(raw).toMatch(/proposals.*of 3/)
    expect(await screen.read()).toBe('')
    expect(readFileSync(out, 'utf8')).toBe(`${answer}\n`)
  })
})
