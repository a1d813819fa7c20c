/** The commands of a chat: lines that begin with a slash. Every flag of a plan is one, too. */
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { findClosest } from '../../../lib/closest.ts'
import { type AnswerFlags, addAnswerFlags } from '../flags.ts'
import { wordErrors } from '../wrong-usage.ts'

/** What a line asks for. */
export type ChatCommand =
  | { do: 'say'; text: string }
  | { do: 'set'; name: string; value: Partial<AnswerFlags> }
  | { do: 'unset'; name: string; flag: keyof AnswerFlags }
  | { do: 'settings' | 'retry' | 'undo' | 'new' | 'help' | 'end' }
  | { do: 'save'; file: string }

/** The commands that are no flags, with what they do. */
const own: Record<string, string> = {
  '/settings': 'show what is set',
  '/retry': 'ask the last question again',
  '/undo': 'take back the last question and its answer',
  '/new': 'begin a new conversation',
  '/save FILE': 'write FILE.md to read, or FILE.json with all proposals',
  '/help': 'show this list',
  '/bye': 'end the chat, as Ctrl-D does',
}

const ends = ['bye', 'quit', 'exit']

/** Flags that make no sense within a chat. */
export const WITHOUT: (keyof AnswerFlags)[] = ['panel', 'schema', 'config']

function flagsOf(): Command {
  const command = addAnswerFlags(new Command('chat').exitOverride(), WITHOUT).helpOption(false)
  wordErrors(command)
  return command
}

/** All words that begin a command, for the Tab key. */
export function commandWords(): string[] {
  const flags = flagsOf().options.map(({ long }) => `/${long?.slice(2)} `)
  return [...Object.keys(own).map((word) => word.replace('FILE', '')), ...flags].sort()
}

/** The list of commands. */
export function describeCommands(): string {
  const rows = Object.entries({
    '/model NAME': 'another model; any name that --model takes',
    '/width N, /depth N': 'proposals per layer; layers that aggregate',
    '/system TEXT': 'system prompt',
    '/FLAG VALUE': 'any flag of `aft ask`: /preset paper; default unsets it',
    ...own,
  })
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`)
  return [
    ...lines,
    '',
    'Ctrl-C stops an answer. """ begins and ends a message of several lines.',
    '// begins a message that begins with a slash.',
  ].join('\n')
}

/** Reads a line. @throws UsageError for an unknown command or a wrong value */
export function readCommand(line: string): ChatCommand {
  if (line.startsWith('//')) return { do: 'say', text: line.slice(1) }
  const [, word, rest = ''] = /^\/([a-z][\w-]*)(?:\s+([\s\S]*))?$/.exec(line.trim()) ?? []
  if (!line.startsWith('/')) return { do: 'say', text: line }
  const value = rest.trim()
  if (word === undefined)
    throw new UsageError(`expected a command such as /help, got ${JSON.stringify(line)}`)
  if (ends.includes(word)) return { do: 'end' }
  if (word === 'save') return { do: 'save', file: need(word, value, 'a file, such as talk.md') }
  if (Object.hasOwn(own, `/${word}`)) return { do: word as 'help' }
  return readFlag(word, value)
}

function readFlag(word: string, value: string): ChatCommand {
  const command = flagsOf()
  const option = command.options.find(({ long }) => long === `--${word}`)
  if (!option) {
    const near = findClosest(
      `/${word}`,
      commandWords().map((known) => known.trim()),
    )
    throw new UsageError(
      `there is no command /${word}; ${near ? `did you mean ${near}?` : '/help lists them'}`,
    )
  }
  const flag = option.attributeName() as keyof AnswerFlags
  if (value === 'default') return { do: 'unset', name: word, flag }
  const isSwitch = !option.required && !option.optional
  const args = isSwitch ? [`--${word}`] : [`--${word}=${need(word, value, 'a value')}`]
  try {
    return { do: 'set', name: word, value: command.parse(args, { from: 'user' }).opts() }
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(error.message.replaceAll('--', '/'))
    throw error
  }
}

function need(word: string, value: string, what: string): string {
  if (value !== '') return value
  throw new UsageError(`/${word} needs ${what}`)
}
