/** `aft ask`: answers one prompt on the terminal. */
import { randomInt } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import type { Message } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { answerInForm } from '../../run/form/answer.ts'
import { makeHost } from '../../run/host.ts'
import { type AnswerFlags, addAnswerFlags, readAnswerFlags } from './flags.ts'
import { watchInterrupts } from './interrupt.ts'
import { openPlan } from './open-plan.ts'
import { openAskView, type ViewMode } from './render/ask-view.ts'
import { addSharedFlags } from './shared-flags.ts'

type AskFlags = AnswerFlags & { json?: boolean; events?: boolean; progress: boolean }

const help = `
Strategies:
  aft               one engine proposes, aggregates and answers
  moa               mixture of agents: several --proposers propose and aggregate
  rsa               each completion sees a random sample of the layer before
  self-consistency  the most frequent answer wins
  best-of-n         the --judge picks one
  single            the bare model

On a terminal the proposals appear side by side, then the answer. In a pipe only
the answer goes to standard output; standard error gets a line per layer. The
seed is random if none is given; find it as plan.seed in --json. With --json an error is one object, too:
{"error": {"kind", "message"}}.
Exit code: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C.

Examples:
  $ aft ask "Why is the sky blue?"
  $ aft ask "Why is the sky blue?" --width 3 --depth 1 --max-tokens 200
  $ aft ask "Why is the sky blue?" --model http://127.0.0.1:8000/v1#llama
  $ aft ask "Why is the sky blue?" --proposers smollm2,openai:gpt-5-mini \\
      --aggregators openai:gpt-5
  $ aft ask - --json < question.txt`

/** Makes the command `aft ask`. */
export function askCommand(): Command {
  const command = new Command('ask')
    .description('Answer one prompt.')
    .argument('[prompt...]', 'the prompt; if it is - or missing, standard input is read')
    .addHelpText('after', help)
    .action((words: string[], flags: AskFlags) => ask(words, flags))
    .option('--json', 'print the whole result as one JSON object')
    .addOption(new Option('--events', 'print each event as a line of JSON').conflicts('json'))
  return addSharedFlags(addAnswerFlags(command, ['panel']), ['progress'])
}

async function ask(words: string[], flags: AskFlags): Promise<void> {
  const signal = watchInterrupts()
  try {
    await answerTo(words, flags, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

async function answerTo(words: string[], flags: AskFlags, signal: AbortSignal): Promise<void> {
  const setup = await readAnswerFlags(flags, randomInt(2 ** 31))
  const { plan, template, responseFormat, engineFlags } = setup
  const messages = await readMessages(words, flags.system)
  const prompt = { id: '0', messages, ...(responseFormat && { responseFormat }) }
  const mode: ViewMode = flags.json ? 'json' : flags.events ? 'events' : 'text'
  const view = await openAskView(plan, mode, flags.progress)
  try {
    const { engines, close } = await openPlan(plan, { ...engineFlags, signal, onProgress: view.pull })
    try {
      const host = makeHost({ engines, template, emit: view.event, signal })
      view.end(await answerInForm(prompt, plan, host))
    } finally {
      await close()
    }
  } catch (error) {
    if (signal.aborted) view.stop()
    throw error
  } finally {
    view.close()
  }
}

async function readMessages(words: string[], system: string | undefined): Promise<Message[]> {
  const question = await readQuestion(words)
  const turn: Message = { role: 'user', content: question }
  return system === undefined ? [turn] : [{ role: 'system', content: system }, turn]
}

/** Reads the prompt. Words without quotes are one prompt. It does not wait for a terminal: the user forgot the prompt. */
async function readQuestion(words: string[]): Promise<string> {
  const isPiped = words.length === 0 && !process.stdin.isTTY
  const question = isPiped || words.join() === '-' ? await text(process.stdin) : words.join(' ')
  if (question.trim() !== '') return question.replace(/\r?\n$/, '')
  throw new UsageError('expected a prompt, such as aft ask "Why is the sky blue?", got nothing')
}
