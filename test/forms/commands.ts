/** What each command that reads rows makes of a file. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Message } from '../../src/core/provider/engine.ts'
import { gsm8k } from '../../src/eval/gsm8k.ts'
import { aftHere } from '../aft-here.ts'

/** What a command read: what is asked, the answers to choose from, and the right one. */
export interface Seen {
  messages: Message[]
  proposals?: string[]
  target?: string
}

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

async function run(folder: string, out: string, args: string[]): Promise<string> {
  const { code, stderr } = await aftHere([...args, '-o', out], { cwd: folder })
  if (code !== 0) throw new Error(stderr.trim())
  return path.join(folder, out)
}

const textsOf = (responses: { text: string }[]) => responses.map(({ text }) => text)
const echo = ['--model', 'scripted:echo']
/** The template of `data build` asks a proposer with a blank system message. */
const isBlank = ({ role, content }: Message) => role === 'system' && content === '\n'

/** The commands, each with a function that gives what it read of the first row of a file in a folder. */
export const commands: Record<string, (folder: string, file: string) => Promise<Seen>> = {
  async run(folder, file) {
    const out = await run(folder, 'answers.jsonl', ['run', file, '--strategy', 'single', ...echo])
    const { messages } = linesOf(`${out}.journal`).find(({ type }) => type === 'prompt')
    return { messages }
  },
  async 'data propose'(folder, file) {
    const out = await run(folder, 'proposed.jsonl', ['data', 'propose', file, '--proposals', '1', ...echo])
    const [{ messages }] = linesOf(out)
    return { messages }
  },
  async 'data build'(folder, file) {
    const flags = ['--target-model', 'scripted:echo', '--sft-twin', '--validation', '0']
    const out = await run(folder, 'built', ['data', 'build', file, ...flags])
    const [{ prompt }] = linesOf(path.join(out, 'sft/train.jsonl'))
    return { messages: prompt.filter((message: Message) => !isBlank(message)) }
  },
  async 'data label'(folder, file) {
    const [row] = linesOf(await run(folder, 'labeled.jsonl', ['data', 'label', file, ...echo]))
    return { messages: row.messages, proposals: textsOf(row.responses) }
  },
  async 'eval gsm8k'(folder, file) {
    const { questions } = await gsm8k.read(path.join(folder, file))
    const { messages, target } = questions[0] as (typeof questions)[number]
    const last = messages.at(-1) as Message
    const content = String(last.content).replace(/\n\nSolve the problem step by step\..*$/, '')
    return { messages: [...messages.slice(0, -1), { ...last, content }], target: `Two.\n#### ${target}` }
  },
}
