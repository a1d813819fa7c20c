/** Journals that 0.1.0 wrote are read and resumed with the results of 0.1.0. */
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readJournal as readInPage } from '../src/apps/web/client/journal.ts'
import { aftHere as aft } from './aft-here.ts'

const made = path.join(import.meta.dirname, 'fixtures/aft-0.1.0')
const original = (name: string) => readFileSync(path.join(made, name), 'utf8')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'journals-'))
  cpSync(made, folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => path.join(folder, name)
const read = (name: string) => readFileSync(at(name), 'utf8')
const readLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const call = (command: string) => aft(command.split(' '), { cwd: folder })

/** From now on, any request to a model is an error. */
const refuseQuestions = (script = 'script.json') => writeFileSync(at(script), '{"rules":[]}')

describe('a journal of `aft run`', () => {
  const run = (out: string, sampling = '--temperature 0.7 --top-p 0.95') =>
    call(
      `run prompts.jsonl --model scripted:script.json --strategy aft --width 3 --depth 2 --max-tokens 64 ${sampling} --seed 7 --no-progress -o ${out}`.replace(
        / +/g,
        ' ',
      ),
    )

  test('that is complete gives its answers again, asks nothing and gets no line', async () => {
    refuseQuestions()
    rmSync(at('run.jsonl'))
    expect(await run('run.jsonl')).toMatchObject({ code: 0 })
    expect(read('run.jsonl')).toBe(original('run.jsonl'))
    expect(read('run.jsonl.journal')).toBe(original('run.jsonl.journal'))
  })

  test('that was cut is resumed with equal answers, and keeps every line it had', async () => {
    expect(await run('cut.jsonl')).toMatchObject({ code: 0 })
    expect(read('cut.jsonl')).toBe(original('run.jsonl'))
    const cut = original('cut.jsonl.journal')
    expect(read('cut.jsonl.journal')).toContain(cut.slice(0, cut.lastIndexOf('\n') + 1))
    /** What a resumed request costs twice is set apart in `repeated`, so usages differ. */
    const listOnce = (text: string) =>
      readLines(text)
        .filter(({ type }) => type === 'completion' || type === 'answer')
        .map(({ usage, ...line }) => JSON.stringify(line))
        .toSorted()
    expect(listOnce(read('cut.jsonl.journal'))).toEqual(listOnce(original('run.jsonl.journal')))
  })

  test('whose sampling was a default then is resumed with it, and no other journal is', async () => {
    expect(await run('cut.jsonl', '')).toMatchObject({ code: 0 })
    expect(read('cut.jsonl')).toBe(original('run.jsonl'))
    const changed = await run('cut.jsonl', '--temperature 0.6')
    expect(changed).toMatchObject({ code: 2 })
    expect(changed.stderr).toContain('sampling.temperature: the journal has 0.7, now it is 0.6')
  })

  test('keeps its template unless a flag names another one', async () => {
    const other = await run('cut.jsonl', '--template aft-2')
    expect(other).toMatchObject({ code: 2 })
    expect(other.stderr).toContain('template.id: the journal has "aft-1", now it is "aft-2"')
    expect(await run('cut.jsonl', '--template aft-1')).toMatchObject({ code: 0 })
    expect(read('cut.jsonl')).toBe(original('run.jsonl'))
  })

  test('is analyzed with equal figures', async () => {
    const { stdout } = await call('analyze attribution run.jsonl.journal --json')
    expect(JSON.parse(stdout)).toEqual(JSON.parse(original('attribution.json')))
  })

  test('becomes a row of training data per answer', async () => {
    const flags = '--decontaminate none --no-near-duplicates --min-proposals 1 --validation 0 -o set'
    expect(await call(`data build run.jsonl.journal --format journal ${flags}`)).toMatchObject({ code: 0 })
    const rows = readLines(read('set/train.jsonl'))
    const targets = rows.map(({ id, completion }) => [id, completion[0].content])
    const answers = readLines(original('run.jsonl')).map(({ id, answer }) => [id, answer])
    expect(Object.fromEntries(targets)).toEqual(Object.fromEntries(answers))
    // The proposals are those of layer 1, which the aggregator of the answer was shown.
    const lines = readLines(original('run.jsonl.journal'))
    for (const { id, prompt, completion, proposals } of rows) {
      const made = lines.filter(
        ({ type, prompt, layer }) => type === 'completion' && prompt === id && layer === 1,
      )
      const usable = new Set(made.map(({ text }) => text))
      usable.delete(completion[0].content)
      const spans = proposals.map(({ span }: { span: [number, number] }) => prompt[0].content.slice(...span))
      expect([id, ...spans.toSorted()]).toEqual([id, ...[...usable].toSorted()])
    }
  })

  test('is drawn by the page', () => {
    const { turns, badLines, seed } = readInPage('run.jsonl.journal', original('run.jsonl.journal'))
    expect({ badLines, seed }).toEqual({ badLines: 0, seed: 7 })
    expect(turns.map(({ id, run }) => ({ id, answer: run.answer }))).toEqual(
      readLines(original('run.jsonl')).map(({ id, answer }) => ({ id, answer })),
    )
    const mend = turns.find(({ id }) => id === 'mend')?.run
    expect(mend?.layers.map(({ members }) => members.map(({ state }) => state))).toEqual([
      ['done', 'done', 'done'],
      ['done', 'done', 'done'],
      ['done'],
    ])
    const cut = readInPage('cut.jsonl.journal', original('cut.jsonl.journal'))
    expect(cut.badLines).toBe(1)
    expect(cut.turns.map(({ run }) => run.state)).toEqual(
      ['sky', 'tea', 'talk', 'mend', '4', 'last'].map((id) =>
        id === 'tea' ? 'done' : id === 'mend' ? 'failed' : 'stopped',
      ),
    )
  })
})

describe('a journal of `aft data label`', () => {
  const label = (out: string) =>
    call(`data label rows.jsonl -m scripted:script.json --max-tokens 64 --temperature 0.7 --seed 3 -o ${out}`)

  test('that is complete gives its targets again and asks nothing', async () => {
    refuseQuestions()
    rmSync(at('label.jsonl'))
    expect(await label('label.jsonl')).toMatchObject({ code: 0 })
    expect(read('label.jsonl')).toBe(original('label.jsonl'))
    expect(read('label.jsonl.journal')).toBe(original('label.jsonl.journal'))
  })

  test.each(['label-cut', 'label-begun'])(
    'that was interrupted (%s) is resumed with equal targets',
    async (name) => {
      const before = readLines(original(`${name}.jsonl.journal`).replace(/[^\n]*$/, ''))
      expect(await label(`${name}.jsonl`)).toMatchObject({ code: 0 })
      expect(read(`${name}.jsonl`)).toBe(original('label.jsonl'))
      const after = readLines(read(`${name}.jsonl.journal`))
      expect(after.slice(0, before.length)).toEqual(before)
      const listMade = (lines: Record<string, unknown>[]) =>
        lines.map((line) => JSON.stringify(line)).toSorted()
      expect(listMade(after)).toEqual(listMade(readLines(original('label.jsonl.journal'))))
    },
  )
})

/** The rows of questions as 0.1.0 wrote them. The controls with as many completions as the aggregation are newer. */
function known(questions: string) {
  const rows = questions
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return rows.map(({ more_proposals: _, answers, ...row }) => ({
    ...row,
    answers: answers.filter(({ control }: { control: string }) => !control.endsWith('-same')),
  }))
}

describe('a journal of `aft eval`', () => {
  const evaluate = () =>
    call(
      'eval gsm8k questions.jsonl -m scripted:counting.json --width 3 --depth 1 --max-tokens 32 --judge-max-tokens 16 --temperature 0.7 --seed 5 --no-progress -o task',
    )

  test('that is complete gives its scores again and asks nothing', async () => {
    refuseQuestions('counting.json')
    expect(await evaluate()).toMatchObject({ code: 0 })
    expect(read('task/questions.jsonl')).toBe(original('task/questions.jsonl'))
    expect(read('task/journal.jsonl')).toBe(original('task/journal.jsonl'))
  })

  test('that was cut is resumed with equal scores', async () => {
    copyFileSync(at('task/cut.jsonl'), at('task/journal.jsonl'))
    expect(await evaluate()).toMatchObject({ code: 0 })
    expect(known(read('task/questions.jsonl'))).toEqual(known(original('task/questions.jsonl')))
  })
})
