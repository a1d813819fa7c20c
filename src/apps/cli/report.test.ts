import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'

const cwd = mkdtempSync(path.join(tmpdir(), 'report-'))
const file = (name: string) => path.join(cwd, name)
const question = (i: number) => ({ question: `Question ${i} <b>of many</b>?`, answer: `It is\n#### ${i}` })
const rules = [
  { system: 'Candidates:', replies: ['1', '2'], pick: 'seed' },
  {
    system: 'Drafts:',
    replies: ['the sum of the parts is here\n#### 3', '<script>alert(1)</script> 9'],
    pick: 'seed',
  },
  { replies: ['the sum of the parts comes to\n#### 3', 'The answer is 4'], pick: 'seed' },
]
writeFileSync(file('questions.json'), JSON.stringify([1, 2, 3, 3, 3, 4].map((i) => question(i))))
writeFileSync(file('script.json'), JSON.stringify({ rules }))
const asked = [
  'eval',
  'gsm8k',
  'questions.json',
  '--model',
  'scripted:script.json',
  '--width',
  '3',
  '-o',
  'results',
]

test('an evaluation of every control becomes a page, and running it again samples nothing', async () => {
  const first = await aft([...asked, '--json'], { cwd })
  expect(first).toMatchObject({ code: 0 })
  const result = JSON.parse(first.stdout)
  expect(result).toMatchObject({ task: 'gsm8k', n: 6, asked: 6, settings: { width: 3, depth: 1 } })
  expect(result.rows.map((row: { control: string }) => row.control)).toEqual([
    'single',
    'single-long',
    'oracle',
    'oracle-same',
    'judge',
    'judge-same',
    'majority',
    'majority-same',
    'aggregated',
  ])
  expect(readFileSync(file('results/table.csv'), 'utf8').trim().split('\n')).toHaveLength(10)

  writeFileSync(file('script.json'), JSON.stringify({ rules: [] })) // anything asked again fails loudly
  const second = await aft([...asked, '--json'], { cwd })
  expect(JSON.parse(second.stdout).rows).toEqual(result.rows)

  const page = await aft(['report', 'results', '-o', 'report.html'], { cwd })
  expect(page).toMatchObject({ code: 0, stderr: '' })
  const html = readFileSync(file('report.html'), 'utf8')
  expect(html.match(/<svg/g)).toHaveLength(3) // a script takes no time: seconds do not vary
  expect(html).toContain('<h1>GSM8K with scripted:script.json</h1>')
  expect(html).toContain('Note: 6 questions are too few to tell')
  expect(html).toContain('Largest gains')
  expect(html).toContain('&lt;b&gt;of many')
  expect(html).not.toMatch(/<script|<b>of|https?:\/\/(?!www\.w3\.org)/)
  expect(html).toContain(result.template.sha256)
  expect(JSON.parse(readFileSync(file('report.json'), 'utf8'))[0].rows).toEqual(result.rows)
  expect(readFileSync(file('report.csv'), 'utf8')).toMatch(/^task,model,row,metric/)
  const tables = readFileSync(file('report.tex'), 'utf8')
  expect(tables.match(/\\begin\{tabular\}/g)?.length).toBeGreaterThan(2)
  expect(tables).toContain('majority')
})

test('a file of a result, and a folder of such files, are shown; other files are named', async () => {
  const dir = file('bench')
  mkdirSync(dir)
  const result = JSON.parse(readFileSync(file('results/result.json'), 'utf8'))
  writeFileSync(path.join(dir, 'one.json'), JSON.stringify({ ...result, machine: { cpu: 'x', cores: 2 } }))
  writeFileSync(path.join(dir, 'two.json'), JSON.stringify({ seconds: 3 }))
  const folder = await aft(['report', 'bench', '-o', 'bench.html'], { cwd })
  expect(folder).toMatchObject({
    code: 0,
    stderr: 'left out, because they are no results of a task: two.json\n',
  })
  expect(readFileSync(file('bench.html'), 'utf8')).toContain('cpu x, cores 2')
  expect((await aft(['report', 'bench/one.json', '-o', 'one.html'], { cwd })).code).toBe(0)
})

test('a folder without results is refused, and the error names the file', async () => {
  const { code, stderr } = await aft(['report', 'nothing', '-o', 'x.html'], { cwd })
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('nothing/result.json: there is no such file'),
  })
  writeFileSync(file('results/result.json'), '{"task": "gsm8k"}')
  const broken = await aft(['report', 'results', '-o', 'x.html'], { cwd })
  expect(broken).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('expected the results of an evaluation'),
  })
})
