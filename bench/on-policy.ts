/**
 * On-policy data, real: two models write four proposals for each of 30 prompts (Gemma as a base model, by
 * demonstrations), a model labels them, and both steps are killed once with SIGKILL and resumed; then they are built.
 * Prints how many texts were kept, and how long it took on a shared machine.
 *
 *   npm run bench -- on-policy
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { findUnusable } from '../src/core/proposals.ts'
import { cutLeak } from '../src/data/demonstrations.ts'
import { generateArithmetic } from '../src/data/sources/arithmetic.ts'
import { aft } from '../test/command-line.ts'
import { killAndResume, type Resumed, readCompletions } from '../test/kill-and-resume.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    count: { type: 'string', default: '30' },
    proposals: { type: 'string', default: '4' },
    'max-tokens': { type: 'string', default: '256' },
    label: { type: 'string', default: 'smollm2' },
    threads: { type: 'string', default: '1' },
    keep: { type: 'string' },
  },
})
const folder = flags.keep ?? fs.mkdtempSync(path.join(os.tmpdir(), 'aft-on-policy-'))
fs.mkdirSync(folder, { recursive: true })
const at = (name: string) => path.join(folder, name)
const [count, width] = [Number(flags.count), Number(flags.proposals)]

const everyday = [
  'Why does bread go stale, and what slows it down?',
  'Name three things to check on a bicycle before a long tour.',
  'Write a short note that asks a neighbour to water the plants for a week.',
  'What is the difference between weather and climate?',
  'How do I get a coffee stain out of a cotton shirt?',
  'Explain in two sentences why the sea is salty.',
  'Suggest a name for a small bookshop, and say why it fits.',
  'What should be in a first-aid kit for a day of hiking?',
  'How does a vaccine teach the body to fight a disease?',
  'Turn this into a polite request: "Send me the file now."',
  'Why do leaves change their colour in autumn?',
  'Give a recipe for a simple vegetable soup.',
  'What does a compiler do?',
  'How can I fall asleep more easily?',
  'Describe a lighthouse to someone who has never seen one.',
]

/** Half of them problems, half everyday questions. */
function makePrompts(): object[] {
  const problems = [...generateArithmetic(Math.ceil(count / 2), 2026)].map((row) => ({
    id: row.id,
    messages: row.prompt,
  }))
  return [
    ...problems,
    ...everyday.slice(0, count - problems.length).map((prompt, i) => ({ id: `day-${i}`, prompt })),
  ]
}

async function step(args: string[], out: string, completions: number): Promise<Resumed> {
  const resumed = await killAndResume([...args, '-o', out, '--threads', flags.threads], {
    cwd: folder,
    journal: `${out}.journal`,
    completions,
  })
  if (resumed.ended.code !== 0) throw new Error(resumed.ended.stderr)
  const made = readCompletions(at(`${out}.journal`)).map((c) => `${c.prompt} ${c.layer} ${c.index}`)
  if (new Set(made).size !== made.length) throw new Error(`${out}.journal has a completion twice`)
  return resumed
}

async function runModel(model: string, base: boolean) {
  const common = ['-m', model, '--max-tokens', flags['max-tokens']]
  const propose = ['data', 'propose', 'prompts.jsonl', '--proposals', flags.proposals, ...common]
  const proposed = await step(
    [...propose, ...(base ? ['--base'] : [])],
    `${model}.jsonl`,
    Math.floor((count * width) / 3),
  )
  const completions = readCompletions(at(`${model}.jsonl.journal`))
  const label = ['data', 'label', `${model}.jsonl`, '-m', flags.label, '--max-tokens', '400']
  const labeled = await step(label, `${model}-labeled.jsonl`, Math.floor(count / 3))
  const targets = readCompletions(at(`${model}-labeled.jsonl.journal`))
  const build = ['data', 'build', `${model}-labeled.jsonl`, '--on-policy', model, '--validation', '0.1']
  const built = await aft([...build, '-o', `${model}-set`, '--restart'], { cwd: folder })
  if (built.code !== 0) throw new Error(built.stderr)
  const valid = await aft(['data', 'validate', `${model}-set`], { cwd: folder })
  if (valid.code !== 0) throw new Error(valid.stderr)
  const texts = completions.map((c) => (base ? cutLeak(c.text) : c.text))
  return {
    model,
    byDemonstrations: base,
    proposals: {
      completions: completions.length,
      outputTokens: completions.reduce((sum, c) => sum + c.usage.outputTokens, 0),
      atTokenLimit: completions.filter((c) => c.finishReason === 'length').length,
      // The heading of an invented question is a stop string, so most of these questions are never written.
      leaksCutFromText: base ? completions.filter((c) => cutLeak(c.text) !== c.text.trim()).length : 0,
      unusable: { empty: countUnusable(texts, 'empty'), runaway: countUnusable(texts, 'runaway') },
      ...timesOf(proposed),
    },
    targets: { by: flags.label, completions: targets.length, ...timesOf(labeled) },
    built: built.stderr.trim().split(' See ')[0],
    valid: valid.stdout.trim(),
  }
}

const countUnusable = (texts: string[], reason: string) =>
  texts.filter((text) => findUnusable(text) === reason).length

const timesOf = ({ ended, ...rest }: Resumed) => ({
  ...rest,
  said: ended.stderr.trim().split('\n').at(-1)?.split(' See ')[0],
})

fs.writeFileSync(
  at('prompts.jsonl'),
  makePrompts()
    .map((row) => `${JSON.stringify(row)}\n`)
    .join(''),
)
const runs = [await runModel('gemma3-270m', true), await runModel('smollm2', false)]
printTable(
  [
    'model',
    'proposals',
    'at the token limit',
    'leaks cut from text',
    'empty',
    'runaway',
    'targets',
    'seconds',
  ],
  runs.map(({ model, proposals: p, targets: t }) => [
    model,
    p.completions,
    p.atTokenLimit,
    p.leaksCutFromText,
    p.unusable.empty,
    p.unusable.runaway,
    t.completions,
    Math.round(p.secondsToKill + p.secondsAfter + t.secondsToKill + t.secondsAfter),
  ]),
)
for (const { model, built } of runs) console.log(`${model}: ${built}`)
saveResults('on-policy', 'npm run bench -- on-policy', {
  prompts: count,
  width,
  loadAfter: os.loadavg()[0],
  note: 'Seconds are of the wall clock.',
  runs,
})
if (flags.keep === undefined) fs.rmSync(folder, { recursive: true })
