/** Proposals of real models, labeled by one; killed and resumed. Half a minute to a minute. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demonstrationStops } from '../src/data/demonstrations.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { aft } from './command-line.ts'
import { killAndResume, readCompletions } from './kill-and-resume.ts'
import { startLlamaServer } from './peers/llama-server.ts'

const PROMPTS = 5
const WIDTH = 2

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'on-policy-'))
  const asked = [
    'Why is the sea salty?',
    'Name a fruit.',
    'What is 7 times 6?',
    'Greet a guest.',
    'What is ice?',
  ]
  writeFileSync(path.join(cwd, 'p.jsonl'), asked.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''))
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const rows = (file: string) =>
  readFileSync(path.join(cwd, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test.each([
  ['gemma3-270m', ['--base']],
  ['smollm2', []],
])(
  '%s proposes, smollm2 labels, both killed once and resumed, and examples come of it',
  async (model, flags) => {
    const sampling = ['--max-tokens', '40', '--threads', '1', '--concurrency', '2']
    const propose = [
      'data',
      'propose',
      'p.jsonl',
      '-m',
      model,
      ...flags,
      '--proposals',
      String(WIDTH),
      ...sampling,
    ]
    const steps = [
      { args: [...propose, '-o', `${model}.jsonl`], out: `${model}.jsonl`, made: PROMPTS * WIDTH },
      {
        args: ['data', 'label', `${model}.jsonl`, ...sampling, '-o', `${model}-l.jsonl`],
        out: `${model}-l.jsonl`,
        made: PROMPTS,
      },
    ]
    for (const { args, out, made } of steps) {
      const journal = `${out}.journal`
      const { ended, keptCompletions, isPrefixKept } = await killAndResume(args, {
        cwd,
        journal,
        completions: 2,
      })
      expect(ended).toMatchObject({ code: 0 })
      expect(keptCompletions).toBeGreaterThanOrEqual(2)
      expect(keptCompletions).toBeLessThan(made)
      expect(isPrefixKept).toBe(true)
      const places = readCompletions(path.join(cwd, journal)).map((c) => `${c.prompt} ${c.layer} ${c.index}`)
      expect(places).toHaveLength(made)
      expect(new Set(places).size).toBe(made)
    }
    const texts = rows(`${model}.jsonl`).flatMap((row) => row.responses.map((r: { text: string }) => r.text))
    expect(texts).toHaveLength(PROMPTS * WIDTH)
    expect(texts.filter((text) => text !== '').length).toBeGreaterThan(PROMPTS)
    for (const stop of demonstrationStops) expect(texts.join('\n\n')).not.toContain(stop.trim())
    for (const { target } of rows(`${model}-l.jsonl`)) expect(target).toMatch(/\S/)
    const build = [
      'data',
      'build',
      `${model}-l.jsonl`,
      '--on-policy',
      model,
      '--min-proposals',
      '1',
      '-o',
      model,
    ]
    expect((await aft([...build, '--validation', '0'], { cwd })).stderr).toMatch(
      /^5 rows read: [2345] examples/,
    )
    const proposals = rows(`${model}/train.jsonl`).flatMap((example) => example.proposals)
    expect(proposals.every((p: { onPolicy: boolean }) => p.onPolicy)).toBe(true)
  },
)

test('llama-server continues the text of --base as the embedded model does: no chat template is in between', async () => {
  const { file } = await resolveModel('smollm2')
  const server = await startLlamaServer({ model: file, threads: 1, slots: 2, contextTokens: 4096 })
  try {
    const settings = ['--base', '--proposals', '1', '--temperature', '0', '--max-tokens', '12']
    const propose = async (out: string, ...model: string[]) => {
      const args = ['data', 'propose', 'p.jsonl', ...settings, '-m', ...model, '-o', out]
      expect(await aft(args, { cwd })).toMatchObject({ code: 0 })
      const made = rows(`${out}.journal`).filter(({ type }) => type === 'completion')
      made.sort((a, b) => a.prompt - b.prompt)
      return {
        read: made.map(({ usage }) => usage.inputTokens),
        texts: rows(out).map((row) => row.responses[0].text.slice(0, 12)),
      }
    }
    const served = await propose('served.jsonl', `${server.url}#smollm2`)
    const here = await propose('here.jsonl', 'smollm2', '--threads', '1')
    expect(served.read).toEqual(here.read)
    // Kernels round in other ways, so some texts part from each other.
    expect(served.texts.filter((text, i) => text === here.texts[i]).length).toBeGreaterThan(PROMPTS / 2)
  } finally {
    await server.close()
  }
})
