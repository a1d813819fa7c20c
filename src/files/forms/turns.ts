/** Turns of a conversation as data sets write them: chat messages, ShareGPT's, pairs, and transcripts in one text. */
import type { Message } from '../../core/provider/engine.ts'
import { type Fail, readMessages } from '../messages.ts'
import { type Fields, wrong } from '../rows/row.ts'
import { isFields } from './form.ts'

/** Speakers of ShareGPT and of data sets like it, by the role that they have. */
const SPEAKERS: Record<string, Message['role']> = {
  system: 'system',
  human: 'user',
  user: 'user',
  prompter: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
  assistant: 'assistant',
}

/**
 * Reads a list of turns: `{role, content}`, `{from, value}` or `{input, output}`.
 * @throws what `fail` makes, with the turn that is none
 */
export function readTurns(value: unknown, field: string, fail: Fail = wrong): Message[] {
  if (!Array.isArray(value) || !isFields(value[0])) return readMessages(value, field, fail)
  const [first] = value as [Fields]
  if ('from' in first && 'value' in first) {
    if (value.every((turn) => isFields(turn) && isBlankSystem(turn)))
      throw fail(`\`${field}\` to hold turns`, value)
    return value
      .filter((turn) => !isFields(turn) || !isBlankSystem(turn))
      .map((turn, i) => readSpoken(turn, `${field}[${i}]`, fail))
  }
  if ('input' in first && 'output' in first) {
    return value.flatMap((pair, i) => readPair(pair, `${field}[${i}]`, fail))
  }
  return readMessages(value, field, fail)
}

const isBlankSystem = ({ from, value }: Fields) => from === 'system' && value === ''

function readSpoken(turn: unknown, place: string, fail: Fail): Message {
  if (!isFields(turn)) throw fail(`\`${place}\` to be an object`, turn)
  const { from, value } = turn
  const role = typeof from === 'string' && Object.hasOwn(SPEAKERS, from) ? SPEAKERS[from] : undefined
  if (!role) throw fail(`\`${place}.from\` to be human, gpt or system: other turns are not read`, from)
  if (typeof value !== 'string') throw fail(`\`${place}.value\` to be text`, value)
  return { role, content: value }
}

function readPair(pair: unknown, place: string, fail: Fail): Message[] {
  const { input, output } = isFields(pair) ? pair : {}
  if (typeof input !== 'string' || typeof output !== 'string')
    throw fail(`\`${place}\` to be {input, output}, both text`, pair)
  return [
    { role: 'user', content: input },
    { role: 'assistant', content: output },
  ]
}

const TURN = /\n\n(Human|Assistant):/
const isTranscript = (text: string) => /^\s*\n\nHuman:/.test(text)

/** The turns of a transcript ("\n\nHuman: … \n\nAssistant: …", as Anthropic's HH data have it); any other text is one question. */
export function readTranscript(text: string): Message[] {
  if (!isTranscript(text)) return [{ role: 'user', content: text }]
  const pieces = text.split(TURN).slice(1)
  const turns: Message[] = []
  for (let i = 0; i < pieces.length; i += 2) {
    const content = (pieces[i + 1] as string).trim()
    if (content === '' && i + 2 >= pieces.length) break // the place where the answer is to come
    turns.push({ role: pieces[i] === 'Human' ? 'user' : 'assistant', content })
  }
  return turns
}
