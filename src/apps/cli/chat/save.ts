/** Writes a conversation to a file. */
import { existsSync } from 'node:fs'
import { type Message, textOf } from '../../../core/provider/engine.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import type { Result } from '../../../core/result.ts'
import { writeWhole } from '../../../lib/write-whole.ts'

/** A question, and what came of it. Without a result its answer was stopped. */
export interface Turn {
  question: string
  answer: string
  result?: Result
}

/**
 * Writes Markdown to read, or JSON with each result whole. A file that is not of this chat is not replaced.
 * @param own files that this chat wrote before
 * @throws UsageError for another ending or a file that exists, FileError if it cannot be written
 */
export function saveChat(file: string, messages: Message[], turns: Turn[], own: Set<string>): void {
  const isJson = file.endsWith('.json')
  if (!isJson && !file.endsWith('.md'))
    throw new UsageError(`${file}: expected a name that ends in .md or .json`)
  if (existsSync(file) && !own.has(file)) throw new UsageError(`${file} exists already; give another name`)
  const results = turns.map(({ result }) => result ?? null)
  writeWhole(file, isJson ? `${JSON.stringify({ messages, results }, null, 2)}\n` : toMarkdown(messages))
  own.add(file)
}

const titles: Record<string, string> = { system: 'System prompt', user: 'Question', assistant: 'Answer' }

function toMarkdown(messages: Message[]): string {
  return messages.map((message) => `# ${titles[message.role]}\n\n${textOf(message).trim()}\n`).join('\n')
}
