/** `aft demo`: shows on the terminal, or as a page, what aggregation does. It needs no model. */
import { Command } from 'commander'
import { DataError, UsageError } from '../../core/provider/errors.ts'
import { writeWhole } from '../../lib/write-whole.ts'
import { toHtml } from '../web/client/conversation-file.ts'
import { readPrompts, toTurn } from '../web/client/journal.ts'
import { ABOUT_DEMO, eventsOf, play } from '../web/client/replay.ts'
import { readPage } from '../web/files.ts'
import { watchInterrupts } from './interrupt.ts'
import { openAskView } from './render/ask-view.ts'

const help = `
The texts were written by a person, to show a case in which proposals disagree.
On a terminal they appear in the times of the recording, in a pipe at once.

Examples:
  $ aft demo
  $ aft demo -o demo.html`

/** Makes the command `aft demo`. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Show an example run, without a model.')
    .option('-o, --output <file>', 'write it as a web page instead: .html')
    .addHelpText('after', help)
    .action(({ output }: { output?: string }) => demo(output))
}

async function demo(output: string | undefined): Promise<void> {
  if (output !== undefined && !/\.html?$/i.test(output))
    throw new UsageError(`--output: expected a name that ends in .html, got "${output}"`)
  const files = await readPage()
  const { header, prompts } = readPrompts('demo.jsonl', files['demo.jsonl'])
  const [prompt] = prompts.values()
  if (!header || !prompt) throw new DataError('demo.jsonl', undefined, 'expected a journal with a prompt')
  const turn = toTurn(prompt, header.plan.layers.length, header.plan)
  if (output !== undefined) {
    const page = { title: turn.question, time: Date.now(), about: ABOUT_DEMO, turns: [turn] }
    writeWhole(output, toHtml(files['export.html'], page))
    console.log(output)
    return
  }
  const signal = watchInterrupts()
  console.error(`${ABOUT_DEMO}\n\n${turn.question}\n`)
  const view = await openAskView(header.plan, 'text', true)
  try {
    const onEvent: Parameters<typeof play>[1] = (event) =>
      event.type === 'answer' ? view.end(event.result) : view.event(event)
    await play(eventsOf(prompt, header), onEvent, {
      speed: process.stdout.isTTY ? 1 : Number.POSITIVE_INFINITY,
      signal,
    })
  } finally {
    view.close()
  }
}
