/** Reads what a person writes in a chat: messages of one or more lines, from a terminal or from a pipe. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { redact } from '../../../core/provider/errors.ts'
import { findCacheFolder } from '../../../lib/cache-folder.ts'

/** Where messages come from. */
export interface Lines {
  /** Returns the next message; undefined at the end (Ctrl-D). */
  next(): Promise<string | undefined>
  close(): void
}

/** Lines of one chunk are one paste: the next line may take this long. */
const PASTE_MS = 20
const MAX_HISTORY = 500
const FENCE = '"""'

/** Reads from a pipe: each line is a message, and `"""` begins and ends one of several lines. */
export function pipedLines(input: NodeJS.ReadableStream): Lines {
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  const lines = reader[Symbol.asyncIterator]()
  const readLine = async () => (await lines.next()).value as string | undefined
  return {
    async next() {
      const message: string[] = []
      do {
        const line = await readLine()
        if (line === undefined) return message.length > 0 ? unfence(message) : undefined
        message.push(line)
      } while (isOpen(message))
      return unfence(message)
    },
    close: () => reader.close(),
  }
}

/**
 * Reads from a terminal. It owns the keyboard only while it waits for a message, so that Ctrl-C is a signal while a model
 * answers. Arrow keys show earlier messages.
 * @param complete the words that Tab may complete a line to
 * @param hasFile keeps the earlier messages in a file of the cache folder
 */
export function typedLines(
  { stdin, stdout }: { stdin: ReadStream; stdout: WriteStream },
  { complete, hasFile }: { complete: string[]; hasFile: boolean },
): Lines {
  const file = path.join(findCacheFolder(), 'chat-history')
  let history = hasFile ? readHistory(file) : []
  return {
    async next() {
      const reader = createInterface({
        input: stdin,
        output: stdout,
        prompt: '> ',
        history: [...history],
        historySize: MAX_HISTORY,
        removeHistoryDuplicates: true,
        completer: (line: string) => [complete.filter((word) => word.startsWith(line)), line],
      })
      const message = await readMessage(reader, stdout)
      history = (reader as Interface & { history: string[] }).history.slice(0, MAX_HISTORY)
      if (hasFile) writeHistory(file, history)
      return message
    },
    close() {},
  }
}

function readMessage(reader: Interface, stdout: WriteStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    const message: string[] = []
    let timer: NodeJS.Timeout | undefined
    const end = (text: string | undefined) => {
      clearTimeout(timer)
      reader.off('close', onClose).close()
      resolve(text)
    }
    const onClose = () => end(undefined)
    reader.on('line', (line) => {
      message.push(line)
      clearTimeout(timer)
      reader.setPrompt('. ')
      if (isOpen(message)) return reader.prompt()
      // The rest of a paste that has no line feed at its end waits for Enter.
      timer = setTimeout(() => reader.line === '' && end(unfence(message)), PASTE_MS)
    })
    reader.on('SIGINT', () => {
      const isEmpty = message.length === 0 && reader.line === ''
      message.length = 0
      reader.setPrompt('> ')
      stdout.write(isEmpty ? '\n(Ctrl-D or /bye ends the chat)\n' : '^C\n')
      reader.write(null, { ctrl: true, name: 'e' })
      reader.write(null, { ctrl: true, name: 'u' })
      reader.prompt()
    })
    reader.on('close', onClose)
    reader.prompt()
  })
}

/** Whether a message that began with a fence has not ended. */
function isOpen([first = '', ...rest]: string[]): boolean {
  if (!first.startsWith(FENCE)) return false
  const last = rest.at(-1) ?? first.slice(FENCE.length)
  return !last.trimEnd().endsWith(FENCE)
}

function unfence(lines: string[]): string {
  const text = lines.join('\n')
  if (!text.startsWith(FENCE)) return text
  return text.slice(FENCE.length).trimEnd().replace(/"""$/, '').trim()
}

/** The latest message is the first. */
function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

/** Only the user may read it. A chat goes on without it. */
function writeHistory(file: string, history: string[]): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, history.map((line) => `${redact(line)}\n`).join(''), { mode: 0o600 })
  } catch {}
}
