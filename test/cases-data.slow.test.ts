/** Files of the collected cases for data and evaluation, each with the command of its description. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { aft } from './command-line.ts'

const cases = path.join(import.meta.dirname, '../../shared/cases/data')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-cases-data-'))

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

describe.skipIf(!existsSync(cases))('cases', () => {
  /** Runs a command in a copy of the case's folder. */
  async function run(name: string, args: string[]) {
    const cwd = path.join(folder, name)
    if (!existsSync(cwd)) cpSync(path.join(cases, name), cwd, { recursive: true })
    const done = await aft(args, { cwd })
    return { ...done, at: (file: string) => path.join(cwd, file) }
  }
  const build = (name: string, source: string, out: string, ...more: string[]) =>
    run(name, ['data', 'build', source, '--validation', '0', '-o', out, ...more])

  test('alpaca-input: the text that an instruction is about is part of the prompt, in targets too', async () => {
    const { at, code } = await build('alpaca-input', 'rows.jsonl', 'out')
    expect(code).toBe(0)
    const rows = linesOf(at('rows.jsonl'))
    const asked = linesOf(at('out/train.jsonl')).map(({ prompt }) => JSON.stringify(prompt))
    expect(asked).toHaveLength(8)
    for (const { input } of rows)
      expect(asked.some((text) => text.includes(JSON.stringify(input).slice(1, -1)))).toBe(true)
    await build('alpaca-input', 'rows.jsonl', 'out2', '--target-file', 'targets.jsonl')
    expect(linesOf(at('out2/train.jsonl'))).toHaveLength(8)
  })

  test('binarized-columns: Parquet and JSON lines of one data set give the same rows', async () => {
    const flags = ['--format', 'ultrafeedback-binarized', '--target', 'best', '--min-proposals', '1']
    const trained = async (source: string) => {
      const { at, code, stderr } = await build('binarized-columns', source, `out-${source}`, ...flags)
      expect({ code, stderr }).toMatchObject({ code: 0 })
      return linesOf(at(`out-${source}/train.jsonl`)).map(({ prompt, completion, proposals }) => [
        prompt,
        completion,
        proposals.map(({ model }: { model: string }) => model),
      ])
    }
    const trl = await trained('trl.jsonl')
    expect(trl).toHaveLength(12)
    expect(await trained('trl.parquet')).toEqual(trl)
    const argilla = await trained('argilla.jsonl')
    expect(argilla).toHaveLength(12)
    expect(JSON.stringify(argilla)).not.toContain('unknown')
    expect(await trained('argilla.parquet')).toEqual(argilla)
  })

  test('cut-array: an array that is cut off, or that text follows, is an error with its line', async () => {
    expect(await build('cut-array', 'cut.json', 'out')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cut\.json:\d+: the file ends within the array/),
    })
    expect(await build('cut-array', 'tail.json', 'out2')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/tail\.json:\d+: expected nothing after the array/),
    })
  })

  test('empty-output: published annotations with an empty answer count as they were judged', async () => {
    const { code, stderr, stdout } = await run('empty-output', [
      'eval',
      'win-rate',
      '--annotations',
      'annotations.json',
    ])
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('win rate') })
    expect(stderr).toMatch(/1 outputs? of the model are empty and count as they were judged: row 4/)
    const files = [
      '--outputs',
      'outputs.json',
      '--baseline',
      'baseline.json',
      '--judge',
      'scripted:judge.json',
    ]
    expect(await run('empty-output', ['eval', 'alpaca-eval', ...files, '-o', 'out'])).toMatchObject({
      code: 0,
    })
  })

  test('folder-extras: hidden files are no rows', async () => {
    const { code, stderr } = await build('folder-extras', 'folder', 'out')
    expect({ code, stderr }).toMatchObject({ code: 0 })
  })

  test('identical-outputs: two equal answers are a tie, and no judge is asked', async () => {
    const files = [
      '--outputs',
      'outputs.json',
      '--baseline',
      'baseline.json',
      '--judge',
      'scripted:judge.json',
    ]
    const { at, code } = await run('identical-outputs', ['eval', 'alpaca-eval', ...files, '-o', 'out'])
    expect(code).toBe(0)
    const rows = JSON.parse(readFileSync(at('out/annotations.json'), 'utf8'))
    for (const i of [2, 5]) expect(rows[i]).toMatchObject({ preference: 1.5, judged_by: 'equal' })
    expect(JSON.parse(readFileSync(at('out/result.json'), 'utf8')).judge).toMatchObject({
      equal: 2,
      calls: rows.length - 2,
    })
  })

  test('journal-failed-attempt: the row has the proposals of the attempt that answered', async () => {
    const { at, code } = await build(
      'journal-failed-attempt',
      'j.journal',
      'out',
      '--format',
      'journal',
      '--min-proposals',
      '1',
    )
    expect(code).toBe(0)
    expect(readFileSync(at('out/train.jsonl'), 'utf8')).not.toContain('OLD')
  })

  test('lone-surrogate: a row with half of a character is dropped and named, and what is built is whole', async () => {
    const { at, code, stderr } = await build('lone-surrogate', 'rows.jsonl', 'out', '--max-bad', '0.5')
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/\d+ broken/) })
    expect(linesOf(at('out/train.jsonl')).every((row) => JSON.stringify(row).isWellFormed())).toBe(true)
    expect(readFileSync(at('out/train.jsonl'), 'utf8')).not.toMatch(/\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])/i)
    expect(readFileSync(at('out/dropped.jsonl'), 'utf8')).toContain('half of a pair')
  })

  test('multi-part-text: a part that is no text is named', async () => {
    const { code, stderr } = await build('multi-part-text', 'rows.jsonl', 'out')
    expect(code).toBe(1)
    expect(stderr).toContain('image_url')
  })

  test('no-responses-field: distilabel has its responses in another field; without any, the fields that are there are named', async () => {
    const { at, code } = await build('no-responses-field', 'rows.jsonl', 'out', '--target', 'best')
    expect(code).toBe(0)
    const rows = linesOf(at('out/train.jsonl'))
    expect(rows).toHaveLength(linesOf(at('rows.jsonl')).length)
    expect(rows[0].proposals.map(({ model }: { model: string }) => model).sort()).toEqual(['a', 'c'])
    const { code: again, stderr } = await build('no-responses-field', 'out/train.jsonl', 'out2')
    expect(again).toBe(1)
    expect(stderr).toMatch(/train\.jsonl:1: expected several answers per row.*got \["id","prompt"/)
  })

  test('parquet-int64: whole numbers of Parquet are numbers', async () => {
    const shown = async (source: string) => {
      const { at, code, stderr } = await build('parquet-int64', source, `out-${source}`, '--target', 'best')
      expect({ code, stderr }).toMatchObject({ code: 0 })
      return linesOf(at(`out-${source}/train.jsonl`)).map(({ id, prompt, completion }) => ({
        id,
        prompt,
        completion,
      }))
    }
    expect(await shown('int64.parquet')).toEqual(await shown('same.jsonl'))
    const { at, code, stderr } = await build('parquet-int64', 'message-int.parquet', 'out3')
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(linesOf(at('out3/train.jsonl'))).toHaveLength(30)
  })

  test('strict-answers: a right answer that is not one number is an error with its row', async () => {
    const args = [
      'eval',
      'gsm8k',
      'gold.jsonl',
      '--model',
      'scripted:model.json',
      '--width',
      '2',
      '--depth',
      '1',
      '-o',
      'out',
    ]
    const { code, stderr } = await run('strict-answers', args)
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/gold\.jsonl:1: .*#### N/),
    })
  })

  test('tool-turn: a turn that only calls a tool is read', async () => {
    const { at, code } = await build('tool-turn', 'rows.jsonl', 'out')
    expect(code).toBe(0)
    expect(linesOf(at('out/train.jsonl'))).toHaveLength(12)
  })

  test('vote-split: equal answers in other words are one vote', async () => {
    const vote = [
      'ask',
      'How much?',
      '--model',
      'scripted:model.json',
      '--strategy',
      'self-consistency',
      '--width',
      '5',
    ]
    const { stdout } = await run('vote-split', vote)
    expect(stdout).toMatch(/18/)
    const args = [
      'eval',
      'gsm8k',
      'q.jsonl',
      '--model',
      'scripted:gsm8k-model.json',
      '--width',
      '5',
      '--depth',
      '1',
    ]
    const { at, code, stderr } = await run('vote-split', [...args, '-o', 'out'])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const [question] = linesOf(at('out/questions.jsonl'))
    const majority = question.answers.find(({ control }: { control: string }) => control === 'majority')
    expect(majority.scores.flexible).toBe(1)
  })

  test('each folder of cases has a test', () => {
    const source = readFileSync(import.meta.filename, 'utf8')
    const elsewhere = ['nan-gradient'] // src/train/train.slow.test.ts
    for (const name of readdirSync(cases)) {
      if (!elsewhere.includes(name)) expect(source).toContain(`test('${name}:`)
    }
  })
})
