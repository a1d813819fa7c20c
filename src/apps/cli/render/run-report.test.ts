import { describe, expect, test } from 'vitest'
import { noTerminal, runInTerminal } from '../../../../test/pty.ts'
import type { Progress } from '../../../run/progress.ts'
import type { RunSummary } from '../../../run/run.ts'
import { describeEnd, describeProgress } from './run-report.ts'

const spent = { calls: 9, completions: 140, inputTokens: 40_000, outputTokens: 5_210, cost: 0.0213 }
const progress: Progress = {
  prompts: 20,
  completions: 220,
  answered: 12,
  degraded: 0,
  failed: 0,
  madeNow: 80,
  warnings: new Set<string>(),
  made: 140,
  spent,
}

describe('how far a run is', () => {
  test('counts earlier runs, and takes rate and time left from this one', () => {
    expect(describeProgress(progress, 25_000)).toBe(
      '12 of 20 answered · 0:25 left · 140 of 220 completions, 3.2/s · 45,210 tokens, $0.0213',
    )
  })

  test('counts failed prompts and degraded answers, and shows no cost if none is known', () => {
    const worse = { ...progress, failed: 3, degraded: 1, spent: { ...spent, cost: undefined } }
    expect(describeProgress(worse, 25_000)).toBe(
      '12 of 20 answered (1 degraded) · 3 failed · 0:25 left · 140 of 220 completions, 3.2/s · 45,210 tokens',
    )
  })

  test('shows no time left before the first completion', () => {
    expect(describeProgress({ ...progress, madeNow: 0 }, 25_000)).not.toContain('left')
  })

  test.skipIf(noTerminal)('is a bar on a terminal, which is removed at the end', async () => {
    const script = '{"echo":true,"delayMs":15}'
    const rows = '{"prompt":"a"}\n{"prompt":"b"}\n{"prompt":"c"}\n'
    const command = `cd "$(mktemp -d)" && printf '%s' '${script}' > s.json && printf '%s' '${rows}' > p.jsonl && "${process.execPath}" "${process.cwd()}/bin/aft.js" run p.jsonl -o a.jsonl --model scripted:s.json --width 2 --depth 2`
    const { raw, code, screen } = await runInTerminal(command, { columns: 100 })
    expect(code).toBe(0)
    expect(raw).toMatch(/━+.*─+.* {2}\d of 3 answered · \d:\d\d left · \d+ of 15 completions/)
    const shown = await screen.read()
    expect(shown).toContain('3 of 3 answered: 15 completions')
    expect(shown).not.toContain('─')
  })
})

describe('how a run ended', () => {
  const end = (more: Partial<RunSummary>) =>
    describeEnd(
      { outcome: 'done', progress, failures: [], ...more },
      { out: 'a.jsonl', elapsedMs: 3_725_000 },
    )
  const error = { kind: 'auth', message: 'no such key' }

  test('says where the answers are', () => {
    expect(end({})).toBe('12 of 20 answered: 140 completions, 45,210 tokens, $0.0213, 1:02:05. See a.jsonl')
  })

  test('says why prompts failed, and what to do', () => {
    expect(
      end({
        failures: [
          { error, count: 8, id: 'p7' },
          { error: { kind: 'refused', message: 'no' }, count: 1, id: '3' },
        ],
      }),
    ).toBe(
      [
        'failed: 8 prompts (p7 was the first): auth: no such key',
        'failed: prompt 3: refused: no',
        '12 of 20 answered: 140 completions, 45,210 tokens, $0.0213, 1:02:05. See a.jsonl; run the same command to try the others again',
      ].join('\n'),
    )
  })

  test.each([
    [
      'interrupted',
      undefined,
      'stopped: 12 of 20 answered, so far 140 completions, 45,210 tokens, $0.0213; run the same command to resume',
    ],
    [
      'held',
      undefined,
      'stopped, because the next could exceed the budget (so far 45,210 tokens, $0.0213): 12 of 20 answered; raise it and run the same command to resume',
    ],
    [
      'hopeless',
      error,
      'stopped, because the others would be degraded too (auth: no such key): 12 of 20 answered; fix that and run the same command to resume',
    ],
  ] as const)('%s says how to resume', (outcome, reason, text) => {
    expect(end({ outcome, reason })).toBe(text)
  })
})
