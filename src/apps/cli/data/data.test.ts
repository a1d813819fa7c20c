import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { aftHere as aft } from '../../../../test/aft-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'cli-data-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const data = (...args: string[]) => aft(['data', ...args], { cwd: folder })

test('arithmetic is built, validated, shown and exported without any file', async () => {
  const built = await data(
    'build',
    '--format',
    'arithmetic',
    '--problems',
    '30',
    '--validation',
    '0.2',
    '-o',
    'made',
  )
  expect(built).toMatchObject({ code: 0, stdout: '' })
  expect(built.stderr).toMatch(/^30 rows read: \d+ examples to train on, \d+ to validate.*See made\n$/)
  expect(readFileSync(join(folder, 'made/README.md'), 'utf8')).toContain('| format | arithmetic |')
  expect((await data('validate', 'made')).stdout).toMatch(/^made is whole: \d+ examples/)
  const shown = await data('show', 'made')
  expect(shown.stdout).toMatch(/^═══ arithmetic-0-\d+ · arithmetic · template aft-1 · proposals: arithmetic-/)
  expect(shown.stdout).toMatch(/─── assistant\n[^─]+#### \d+\n/)
  expect((await data('export', 'made', '--to', 'axolotl', '-o', 'ax')).code).toBe(0)
  expect(readFileSync(join(folder, 'ax/dataset.yaml'), 'utf8')).toContain('type: chat_template')
})

test('a build that drops every row keeps its folder, warns, and does not fail', async () => {
  const question = 'What are the names of some famous actors that started their careers on Broadway?'
  writeFileSync(
    join(folder, 'b.jsonl'),
    JSON.stringify({ prompt: question, responses: ['a', 'b'], target: 'c' }),
  )
  const { code, stderr } = await data('build', 'b.jsonl', '-o', 'empty')
  expect(code).toBe(0)
  expect(stderr).toContain(
    'dropped: 1 benchmark. See empty\nwarning: train.jsonl is empty; dropped.jsonl says why\n',
  )
  expect(readFileSync(join(folder, 'empty/train.jsonl'), 'utf8')).toBe('')
  expect(JSON.parse(readFileSync(join(folder, 'empty/dropped.jsonl'), 'utf8')).detail).toEqual([
    'alpaca-eval',
  ])
})

test('--keep-equal shows a right draft though it equals the target, and the data card says so', async () => {
  const row = { prompt: 'What is 2 + 2? Write the number only.', responses: ['4', '4', '5'], target: '4' }
  writeFileSync(join(folder, 'one-answer.jsonl'), JSON.stringify(row))
  const without = await data('build', 'one-answer.jsonl', '-o', 'unlike')
  expect(without.stderr).toContain('dropped: 1 too few proposals')
  const built = await data('build', 'one-answer.jsonl', '--keep-equal', '--validation', '0', '-o', 'equal')
  expect(built).toMatchObject({ code: 0 })
  const [example] = lines('equal/train.jsonl')
  expect(example.proposals).toHaveLength(3)
  expect(readFileSync(join(folder, 'equal/README.md'), 'utf8')).toContain('| keepEqual | true |')
  expect(readFileSync(join(folder, 'unlike/README.md'), 'utf8')).not.toContain('keepEqual')
})

test('wrong usage gives one line and exit code 2', async () => {
  expect(await data('build', '-o', 'x')).toMatchObject({
    code: 2,
    stderr: 'error: expected a file, a folder or - to build from\n',
  })
  expect((await data('build', 'b.jsonl', '-o', 'x', '--decontaminate', 'mmlu')).stderr).toContain(
    'there are: alpaca-eval, mt-bench',
  )
  expect((await data('build', 'b.jsonl', '-o', 'x', '--max-example-tokens', '9')).stderr).toContain(
    '--max-example-tokens needs --tokenizer',
  )
  expect((await data('show', 'nothing')).stderr).toContain(
    'nothing has no train.jsonl; expected a folder that `aft data build` made',
  )
  expect(await data('show', 'made', '--id', 'none')).toMatchObject({
    code: 2,
    stderr: 'error: made/train.jsonl has no example with the id "none"\n',
  })
  expect((await data('show', 'made', '-n', 'x')).code).toBe(2)
  expect(await data('build', 'b.jsonl', '-o', 'x', '--min-proposals', '6')).toMatchObject({
    code: 2,
    stderr: 'error: expected --min-proposals to be at most --proposals 5, got 6\n',
  })
  writeFileSync(join(folder, 'bare.jsonl'), '{"prompt": "Why?"}')
  const label = await data('label', 'bare.jsonl', '-m', 'scripted:echo', '-o', 'x.jsonl')
  expect(label).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('expected several answers per row, such as `responses`'),
  })
})

const lines = (name: string) =>
  readFileSync(join(folder, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('responses are proposed, labeled by an aggregator and built, each step from the file of the one before', async () => {
  const prompts = Array.from({ length: 6 }, (_, i) =>
    JSON.stringify({ prompt: `Name ${i} rivers of the many.` }),
  )
  writeFileSync(join(folder, 'p.jsonl'), prompts.join('\n'))
  const replies = ['The Oder flows north.', 'The Nile is long.', 'Rivers flow.']
  writeFileSync(join(folder, 'script.json'), JSON.stringify([{ replies }]))
  const proposed = await data(
    'propose',
    'p.jsonl',
    '-m',
    'scripted:script.json',
    '--proposals',
    '3',
    '-o',
    'q.jsonl',
  )
  expect(proposed.stderr).toContain('6 of 6 answered: 18 completions')
  expect(lines('q.jsonl')[5]).toMatchObject({
    id: '5',
    messages: [{ role: 'user', content: 'Name 5 rivers of the many.' }],
  })
  expect(lines('q.jsonl')[5].responses).toHaveLength(3)
  const label = () => data('label', 'q.jsonl', '-m', 'scripted:echo', '-o', 'l.jsonl')
  expect(await label()).toMatchObject({ code: 0 })
  const labeled = lines('l.jsonl')
  expect(labeled).toHaveLength(6)
  expect(labeled[5].responses).toEqual(lines('q.jsonl')[5].responses)
  expect(labeled[5].target).toMatch(/^Reply .*5 rivers/)
  // As if it had been killed: of the last prompt only a part of the first layer is there.
  const journal = readFileSync(join(folder, 'l.jsonl.journal'), 'utf8')
  const ends = journal.split('\n').filter((line) => line.includes('"prompt":"5"'))
  const kept = journal.split('\n').filter((line) => !ends.slice(1).includes(line))
  writeFileSync(join(folder, 'l.jsonl.journal'), kept.join('\n'))
  expect(await label()).toMatchObject({ code: 0 })
  expect(lines('l.jsonl')).toEqual(labeled)
  const built = await data('build', 'l.jsonl', '--no-near-duplicates', '--validation', '0', '-o', 'set')
  expect(built.stderr).toMatch(/^6 rows read: 6 examples/)
})

test('equal responses are shown to who labels them if --keep-equal says so', async () => {
  const responses = ['Twelve.', 'Ten.', 'Twelve.'].map((text) => ({ model: 'm', text }))
  writeFileSync(join(folder, 'e.jsonl'), JSON.stringify({ prompt: 'How many?', responses }))
  const label = (...more: string[]) =>
    data('label', 'e.jsonl', '-m', 'scripted:echo', '-o', 'm.jsonl', ...more)
  expect(await label('--keep-equal')).toMatchObject({ code: 0 })
  expect(lines('m.jsonl')[0].responses).toHaveLength(3)
  expect(await label()).toMatchObject({ code: 2, stderr: expect.stringContaining('--restart') })
  expect(await label('--restart')).toMatchObject({ code: 0 })
  expect(lines('m.jsonl')[0].responses).toHaveLength(2)
})

test('a base model continues demonstrations, and the text after its answer is cut', async () => {
  writeFileSync(join(folder, 'b.jsonl'), JSON.stringify({ prompt: 'Why is snow white?' }))
  const replies = ['It scatters all light.\n\n# Question\nWhy is grass green?', 'Light.\nQuestion: Why?']
  writeFileSync(join(folder, 'base.json'), JSON.stringify([{ replies }]))
  const { stderr } = await data(
    'propose',
    'b.jsonl',
    '-m',
    'scripted:base.json',
    '--base',
    '--proposals',
    '2',
    '-o',
    'base.jsonl',
  )
  expect(
    lines('base.jsonl')[0]
      .responses.map((r: { text: string }) => r.text)
      .sort(),
  ).toEqual(['It scatters all light.', 'Light.'])
  expect(stderr).toContain('cut because the model began another question: 1 responses')
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  const asked = lines('base.jsonl.journal').find((line) => line.type === 'prompt')
  expect(asked.messages[0].content).toMatch(
    /^# Question\nHow can I.*\n\n# Question\nWhy is snow white\?\n\n# Answer\n$/s,
  )
})

test('a base model on a server gets the demonstrations as raw text, without a chat template', async () => {
  const asked: { url?: string; prompt: string; n: number }[] = []
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString())
    asked.push({ ...body, url: request.url })
    const choices = ['It scatters all light.', 'Light.\nQuestion: Why?'].map((text, index) => {
      return { index, text, finish_reason: 'stop' }
    })
    response.end(JSON.stringify({ choices, usage: { prompt_tokens: 9, completion_tokens: 9 } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  writeFileSync(join(folder, 's.jsonl'), JSON.stringify({ prompt: 'Why is snow white?' }))
  const model = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1#base`
  const flags = ['-m', model, '--base', '--proposals', '2', '-o', 's-proposed.jsonl']
  expect(await data('propose', 's.jsonl', ...flags)).toMatchObject({ code: 0 })
  const [row] = lines('s-proposed.jsonl')
  expect(row.responses.map((one: { text: string }) => one.text)).toEqual(['It scatters all light.', 'Light.'])
  expect(asked).toEqual([expect.objectContaining({ url: '/v1/completions', n: 2, top_p: 0.95 })])
  expect(asked[0]).not.toHaveProperty('messages')
  expect(asked[0]?.prompt).toMatch(/^# Question\nHow can I.*# Question\nWhy is snow white\?\n\n# Answer\n$/s)
})

test('an engine writes the targets of the rows that a build keeps, each once', async () => {
  const rows = [
    { id: 'a', prompt: 'Name a river.', responses: ['Nile is one.', 'Oder is one.', 'Rhine is, too.'] },
    { id: 'b', prompt: 'Name a tree.', responses: ['Oak is one.', 'Elm is one.'] },
    { id: 'twin', prompt: 'Name a river.', responses: ['Nile', 'Oder'] },
    { id: 'one', prompt: 'Name a bird.', responses: ['Kite'] },
  ]
  writeFileSync(join(folder, 't.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  const build = (out: string, ...more: string[]) =>
    data(
      'build',
      't.jsonl',
      '--target-model',
      'scripted:echo',
      '--proposals',
      '2',
      '--validation',
      '0',
      '-o',
      out,
      ...more,
    )
  expect((await build('t')).stderr).toContain(
    'See t.targets.jsonl\n4 rows read: 2 examples to train on, 0 to validate; dropped: 1 duplicate prompt, 1 too few proposals.',
  )
  const asked = lines('t.targets.jsonl.journal').filter((line) => line.type === 'prompt')
  expect(asked.map((line) => line.id)).toEqual(['a', 'b'])
  const [a, b] = lines('t/train.jsonl')
  expect([a.completion[0].content, b.completion[0].content]).toEqual([
    expect.stringMatching(/^Reply .*river/),
    expect.stringMatching(/^Reply .*tree/),
  ])
  expect(readFileSync(join(folder, 't/README.md'), 'utf8')).toContain('| target | an engine: scripted:echo |')
  const journal = readFileSync(join(folder, 't.targets.jsonl.journal'))
  const made = readFileSync(join(folder, 't/train.jsonl'))
  expect((await build('t', '--restart')).code).toBe(0)
  expect(readFileSync(join(folder, 't.targets.jsonl.journal'))).toEqual(journal)
  expect(readFileSync(join(folder, 't/train.jsonl'))).toEqual(made)
  expect((await data('build', 't.jsonl', '--target-model', 'none', '-o', 'u')).stderr).toContain(
    'unknown engine "none"',
  )
  expect((await data('build', '-', '--target-model', 'scripted:echo', '-o', 'u')).stderr).toContain(
    'reads the rows twice',
  )
})

test('targets come from one place, and the error of an old flag names the new one', async () => {
  const build = async (...flags: string[]) => {
    const { code, stderr } = await data('build', 't.jsonl', '-o', 'u', ...flags)
    return [code, stderr.trim().split('\n')[0]]
  }
  expect(await build('--target', 'none.jsonl')).toEqual([
    2,
    expect.stringContaining('expected gold or best (a file: --target-file; an engine: --target-model)'),
  ])
  expect(await build('--target', 'best', '--target-model', 'scripted:echo')).toEqual([
    2,
    expect.stringContaining('--target cannot be used with --target-model: give one of them'),
  ])
  expect(await build('--target-file', 't.jsonl', '--target-seed', '3')).toEqual([
    2,
    'error: --target-max-tokens and --target-seed are for --target-model',
  ])
  expect(await build('--target-file', 't.jsonl')).toEqual([
    1,
    'error: t.jsonl:1: expected an answer, such as `target`, `output` or `answer`, got ["id","prompt","responses"]',
  ])
  expect(await build('--overwrite')).toEqual([2, 'error: --overwrite: use --restart'])
  expect(await build('--max-tokens', '9')).toEqual([
    2,
    'error: --max-tokens: use --max-example-tokens; --max-tokens is always per completion',
  ])
})

test('several machines propose and label a part each; the parts together are the whole', async () => {
  const prompts = Array.from({ length: 7 }, (_, i) => JSON.stringify({ prompt: `Name ${i} lakes.` }))
  writeFileSync(join(folder, 'lakes.jsonl'), prompts.join('\n'))
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  const run = async (from: string, out: string, ...args: string[]) => {
    const command = args.includes('--proposals') ? 'propose' : 'label'
    const { code, stderr } = await data(command, from, '-m', 'scripted:echo', '-o', out, ...args)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    return text(out)
  }
  const whole = await run('lakes.jsonl', 'lakes-all.jsonl', '--proposals', '2')
  const [a, b] = await Promise.all([
    run('lakes.jsonl', 'lakes-1.jsonl', '--proposals', '2', '--shard', '1/2'),
    run('lakes.jsonl', 'lakes-2.jsonl', '--proposals', '2', '--shard', '2/2'),
  ])
  expect(a + b).toBe(whole)
  expect(a.trim().split('\n')).toHaveLength(3)
  const labeled = await run('lakes-all.jsonl', 'labeled-all.jsonl')
  const [c, d] = [
    await run('lakes-all.jsonl', 'labeled-1.jsonl', '--shard', '1/2'),
    await run('lakes-all.jsonl', 'labeled-2.jsonl', '--shard', '2/2'),
  ]
  expect(c + d).toBe(labeled)
  expect(await data('label', 'lakes-all.jsonl', '-o', 'x.jsonl', '--shard', '3/2')).toMatchObject({ code: 2 })
})
