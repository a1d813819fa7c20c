/** Computes the published AlpacaEval figures from their annotations. Takes about ten seconds. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { isSwitched, readVerdict, unswitch } from '../src/eval/preference.ts'
import { aft } from './command-line.ts'

const data = path.join(import.meta.dirname, '../../shared/data/alpaca-eval')
const hasData = existsSync(data)
const files = [
  '--gamed',
  path.join(data, 'reconstructed/df_gamed.csv'),
  '--instruction-difficulty',
  path.join(data, 'reconstructed/instruction_difficulty.csv'),
]
const published = hasData
  ? readFileSync(path.join(data, 'published.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map(
        (line) => line.split(',').map((cell, i) => (i === 0 ? cell : Number(cell))) as [string, ...number[]],
      )
  : []
const annotations = (model: string) => path.join(data, 'annotations', `${model}.json`)
const score = async (...args: string[]) => aft(['eval', 'win-rate', '--json', ...args])

describe.skipIf(!hasData)('published systems (needs ../shared/data/alpaca-eval)', () => {
  const gaps: number[] = []

  test.each(published)('%s has its published rates', async (model, rate, error, n, length, lcRate) => {
    const { stdout, code } = await score('--annotations', annotations(model), ...files)
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result.variant).toBe('full')
    expect(result.n).toBe(n)
    expect(Math.abs(result.win_rate - (rate as number))).toBeLessThan(1e-6)
    expect(Math.abs(result.standard_error - (error as number))).toBeLessThan(1e-6)
    expect(Math.abs(result.mean_length_chars - (length as number))).toBeLessThan(
      model === 'text_davinci_001' ? 3 : 1,
    )
    expect(Math.abs(result.lc_win_rate - (lcRate as number))).toBeLessThan(0.3)
    gaps.push(Math.abs(result.lc_win_rate - (lcRate as number)))
  })

  test('the length-controlled rates are within 0.1 on average', () => {
    expect(gaps.length).toBe(published.length)
    expect(gaps.reduce((a, b) => a + b, 0) / gaps.length).toBeLessThan(0.1)
  })

  test('a row out of order is refused with its number, and a missing row is a warning', async () => {
    const rows = JSON.parse(readFileSync(annotations('vicuna-13b'), 'utf8'))
    const file = path.join(tmpdir(), 'vicuna.json')
    ;[rows[9], rows[10]] = [rows[10], rows[9]]
    writeFileSync(file, JSON.stringify(rows))
    const moved = await score('--annotations', file, ...files)
    expect(moved).toMatchObject({ code: 1, stdout: '' })
    expect(moved.stderr).toContain(`${file}:1: row 11: is the benchmark's row 10, but comes after its row 11`)
    writeFileSync(file, JSON.stringify(rows.toSpliced(9, 1)))
    const fewer = await score('--annotations', file, ...files)
    expect(fewer.code).toBe(0)
    expect(fewer.stderr).toContain('804 rows, the baseline has 805')
  })

  test('one file alone is refused', async () => {
    const { code, stderr } = await score('--annotations', annotations('vicuna-13b'), ...files.slice(0, 2))
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('--gamed needs --instruction-difficulty'),
    })
  })

  test.each(published.map(([model]) => model))(
    '%s: order and token give the judge’s own preferences',
    (model) => {
      interface Recorded {
        instruction: string
        preference: number
        raw_completion?: {
          logprobs?: { content?: { token: string; top_logprobs: { token: string; logprob: number }[] }[] }
        }
      }
      const rows: Recorded[] = JSON.parse(readFileSync(annotations(model), 'utf8'))
      const told = rows.flatMap(({ instruction, preference, raw_completion: raw }) => {
        const first = raw?.logprobs?.content?.[0]
        if (!first) return []
        const top = first.top_logprobs
        const logprobs = [{ token: first.token, logprob: 0, top }]
        const verdict = readVerdict({ text: first.token, logprobs })
        return [Math.abs((unswitch(verdict.preference, isSwitched(instruction, 0)) ?? 0) - preference)]
      })
      if (told.length === 0) return expect(rows[0]?.raw_completion).toBeUndefined()
      expect(told.length).toBeGreaterThan(790)
      expect(Math.max(...told)).toBeLessThan(1e-6)
    },
  )
})
