/** For tests of resumed runs: runs whatever a journal holds, and compares what it holds then. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Engine } from '../core/provider/engine.ts'
import { echo, scriptedEngine } from '../engines/scripted/scripted.ts'
import { makePlan, type PlanOptions } from '../plans/strategies.ts'
import { runPrompts } from './run.ts'

/** What is asked, how, and whom. */
export interface Setting {
  questions: string[]
  plan: Omit<PlanOptions, 'proposers'> & { proposers?: string[] }
  engines?: () => Record<string, Engine>
}
const oneEngine = () => ({ s: scriptedEngine(echo) as Engine })

/** Makes a journal for the tests of a file. */
export function useJournal() {
  const folder = mkdtempSync(join(tmpdir(), 'resume-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const out = join(folder, 'answers.jsonl')
  const journal = `${out}.journal`

  /** Resumes whatever the journal holds; returns the bytes of the answers. */
  async function run({ questions, plan, engines = oneEngine }: Setting): Promise<string> {
    const prompts = questions.map((content, i) => ({
      id: `p${i}`,
      messages: [{ role: 'user' as const, content }],
    }))
    await runPrompts({ prompts, out, plan: makePlan({ proposers: ['s'], ...plan }), engines: engines() })
    return readFileSync(out, 'utf8')
  }

  /** Runs without a journal; returns the answers and the bytes of the journal. */
  async function runAnew(setting: Setting): Promise<{ answers: string; bytes: Buffer }> {
    rmSync(journal, { force: true })
    return { answers: await run(setting), bytes: readFileSync(journal) }
  }

  /** Every line of the journal as what it is about: `completion p0 1 4`. */
  function listRecords(): string[] {
    const lines = readFileSync(journal, 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    return lines.map((line) => {
      const { type, id, prompt, layer, index, engine } = JSON.parse(line)
      return [type, id ?? prompt, layer, index, type === 'failure' ? engine : undefined]
        .filter((x) => x !== undefined)
        .join(' ')
    })
  }

  /** A failure may stand twice: what failed before its layer had ended is tried again. */
  const listCompletions = () =>
    listRecords()
      .filter((record) => record.startsWith('completion'))
      .toSorted()

  /** Cuts the journal of two questions after every `step` bytes, and resumes it. */
  async function resumeEveryCut(step: number): Promise<void> {
    const setting = { questions: ['Why?', 'How?'], plan: { width: 2, depth: 1, maxTokens: 9 } }
    const { answers, bytes } = await runAnew(setting)
    const records = listRecords().toSorted()
    for (let size = 0; size <= bytes.length; size += step) {
      writeFileSync(journal, bytes.subarray(0, size))
      expect(await run(setting), `cut at ${size}`).toBe(answers)
      expect(listRecords().toSorted(), `cut at ${size}`).toEqual(records)
    }
  }

  return { journal, run, runAnew, listRecords, listCompletions, resumeEveryCut }
}
