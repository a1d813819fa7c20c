/** `aft export`: writes prompts of a journal, or a conversation of the page, as one file to send. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { UsageError } from '../../core/provider/errors.ts'
import { readText } from '../../files/read-text.ts'
import { readRunJournal } from '../../files/run-journal.ts'
import { FileError } from '../../lib/file-error.ts'
import { checkReplaceable, writeWhole } from '../../lib/write-whole.ts'
import { type Conversation, readConversation, toHtml, toJson } from '../web/client/conversation-file.ts'
import { toMarkdown } from '../web/client/conversation-markdown.ts'
import { toTurn } from '../web/client/journal.ts'
import type { Turn } from '../web/client/run.ts'
import { readPage } from '../web/files.ts'
import { whole } from './option-types.ts'

const help = `
The ending of the output decides the form:
  .html  a page with the proposals behind each answer; it opens without a server
  .md    Markdown
  .json  for programs; the page of \`aft serve\` imports it, and the .html too

Examples:
  $ aft run prompts.jsonl -o answers.jsonl
  $ aft export answers.jsonl.journal -o answers.html
  $ aft export answers.jsonl.journal --prompt-id 7 --prompt-id 12 -o two.md`

interface ExportFlags {
  output: string
  promptId?: string[]
  limit: number
  title?: string
}

/** Makes the command `aft export`. */
export function exportCommand(): Command {
  return new Command('export')
    .description('Write answers with their proposals as one file that opens anywhere.')
    .argument('<file>', 'journal of `aft run`, or a file that the page exported')
    .requiredOption('-o, --output <file>', 'file to write: .html, .md or .json')
    .option('--prompt-id <id...>', 'ids of the prompts to write; default: all')
    .addOption(whole('--limit <n>', 'write at most this many prompts', 1).default(100))
    .option('--title <text>', 'title of the page')
    .addHelpText('after', help)
    .action(exportFile)
}

const writers: Record<string, (conversation: Conversation) => Promise<string> | string> = {
  '.html': async (conversation) => toHtml((await readPage())['export.html'], conversation),
  '.md': toMarkdown,
  '.json': toJson,
}

async function exportFile(file: string, { output, promptId, limit, title }: ExportFlags): Promise<void> {
  const write = writers[path.extname(output).toLowerCase()]
  if (!write)
    throw new UsageError(`--output: expected a name that ends in .html, .md or .json, got "${output}"`)
  checkReplaceable(output)
  const all = await readTurns(file)
  const chosen = promptId ? promptId.map((id) => findTurn(all.turns, id, file)) : all.turns
  const turns = chosen.slice(0, limit)
  if (turns.length < chosen.length)
    console.error(`${turns.length} of ${chosen.length} prompts: --prompt-id or --limit chooses others`)
  const conversation = { ...all, title: title ?? all.title, turns, id: '' }
  writeWhole(output, await write(conversation))
  console.log(output)
}

/** Reads a journal, or a file of the page by its ending. @throws DataError, FileError; UsageError if it has no prompt */
async function readTurns(file: string): Promise<Omit<Conversation, 'id'>> {
  if (/\.(html?|json)$/i.test(file)) return readConversationFile(file)
  const { header, prompts } = await readRunJournal(file)
  if (prompts.length === 0) throw new UsageError(`${file} has no prompt yet`)
  const [first] = prompts
  const turns = prompts.map((prompt) => toTurn(prompt, header.plan.layers.length, header.plan))
  const title = prompts.length === 1 ? (turns[0]?.question ?? '').slice(0, 120) : path.basename(file)
  const { mtimeMs } = await stat(file)
  return { title: title || (first?.id ?? ''), time: mtimeMs, turns }
}

async function readConversationFile(file: string): Promise<Omit<Conversation, 'id'>> {
  const text = readText(file)
  try {
    return readConversation(path.basename(file), text)
  } catch (error) {
    throw new FileError(file, (error as Error).message.replace(`${path.basename(file)} `, ''))
  }
}

function findTurn(turns: Turn[], id: string, file: string): Turn {
  const turn = turns.find((turn) => turn.id === id)
  if (turn) return turn
  const known = turns.slice(0, 8).map(({ id }) => id)
  const more = turns.length > known.length ? ` and ${turns.length - known.length} more` : ''
  throw new UsageError(`${file} has no prompt "${id}"; there are: ${known.join(', ')}${more}`)
}
