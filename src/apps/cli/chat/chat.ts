/** `aft chat`: a conversation on the terminal. */
import { randomInt } from 'node:crypto'
import { Command } from 'commander'
import { countCompletions, countMembers, enginesOf } from '../../../core/plan.ts'
import type { Message } from '../../../core/provider/engine.ts'
import { redact, UsageError } from '../../../core/provider/errors.ts'
import type { AftEvent } from '../../../core/result.ts'
import type { OpenedEngines } from '../../../engines/open.ts'
import { answerInForm } from '../../../run/form/answer.ts'
import { makeHost } from '../../../run/host.ts'
import { showError } from '../describe-error.ts'
import { type AnswerFlags, type AnswerSetup, addAnswerFlags, readAnswerFlags } from '../flags.ts'
import { onInterrupt } from '../interrupt.ts'
import { openPlan } from '../open-plan.ts'
import { flagName } from '../plan-flags.ts'
import { openAskView } from '../render/ask-view.ts'
import { sanitize } from '../render/sanitize.ts'
import { inLocale, makeStyle } from '../render/style.ts'
import { showCount } from '../render/text.ts'
import { addSharedFlags } from '../shared-flags.ts'
import { type ChatCommand, commandWords, describeCommands, readCommand } from './commands.ts'
import { type Lines, pipedLines, typedLines } from './lines.ts'
import { saveChat, type Turn } from './save.ts'

type ChatFlags = AnswerFlags & { progress: boolean; history: boolean }

const help = `
Each answer is made as by \`aft ask\`, and sees the whole conversation. In a chat /help lists the
commands: /model, /width and every other flag, /retry, /undo, /new, /settings, /save FILE, /bye. Ctrl-C stops an answer and
not the chat; Ctrl-D ends it. In a pipe each line is a question, and only answers go to standard output;
after an error the chat goes on, and the exit code is 1.

Examples:
  $ aft chat
  $ aft chat --model ollama:llama3.2 --width 5`

/** Stands for a seed that nobody gave: each turn gets one of its own. */
const NO_SEED = 2 ** 31

/** Makes the command `aft chat`. */
export function chatCommand(): Command {
  const command = new Command('chat')
    .description('Talk with a model, turn by turn.')
    .option('--no-history', 'keep no list of earlier messages (arrow keys) in the cache folder')
    .addHelpText('after', help)
    .action((flags: ChatFlags) => new Chat(flags).run())
  return addSharedFlags(addAnswerFlags(command, ['panel', 'schema']), ['progress'])
}

/** One conversation. Its engines stay open between turns. */
class Chat {
  #flags: ChatFlags
  #setup: AnswerSetup | undefined
  #opened: (OpenedEngines & { key: string }) | undefined
  #turns: Turn[] = []
  readonly #saved = new Set<string>()
  readonly #isTyped = process.stdin.isTTY === true && process.stdout.isTTY === true

  constructor(flags: ChatFlags) {
    this.#flags = flags
  }

  async run(): Promise<void> {
    await this.#configure(this.#flags)
    const complete = commandWords()
    const lines = this.#isTyped
      ? typedLines(process, { complete, hasFile: this.#flags.history })
      : pipedLines(process.stdin)
    try {
      if (this.#isTyped) await this.#engines()
      this.#tell(`${this.#describe()}\n/help lists the commands, Ctrl-D ends.\n`)
      await this.#talk(lines)
    } finally {
      lines.close()
      await this.#opened?.close()
    }
  }

  /** An error ends a turn and not the chat; in a pipe the exit code tells it. */
  async #talk(lines: Lines): Promise<void> {
    for (;;) {
      const line = await lines.next()
      if (line === undefined && this.#isTyped) console.log()
      if (line === undefined) return
      if (line.trim() === '') continue
      try {
        const command = readCommand(line)
        if (command.do === 'end') return
        await this.#obey(command)
      } catch (error) {
        console.error(showError(error))
        if (!this.#isTyped) process.exitCode = 1
      }
    }
  }

  async #obey(command: ChatCommand): Promise<void> {
    if (command.do === 'say') return this.#answer(command.text)
    if (command.do === 'set' || command.do === 'unset') return this.#change(command)
    if (command.do === 'save') {
      saveChat(command.file, this.#messages(), this.#turns, this.#saved)
      return this.#tell(`saved in ${command.file}`)
    }
    if (command.do === 'help') return this.#tell(describeCommands())
    if (command.do === 'settings') return this.#tell(this.#describe())
    if (command.do === 'retry') return this.#retry()
    if (command.do === 'undo') this.#turns.pop()
    else this.#turns = []
    this.#tell(`The conversation has ${showCount(this.#turns.length, 'question')}.`)
  }

  /** Asks the last question again. Without a new answer the old one stays. */
  async #retry(): Promise<void> {
    const last = this.#turns.pop()
    if (!last) throw new UsageError('there is no question to ask again')
    const { length } = this.#turns
    try {
      await this.#answer(last.question)
    } finally {
      if (this.#turns.length === length) this.#turns.push(last)
    }
  }

  /** A setting that cannot be used leaves the chat as it was. */
  async #change(command: Extract<ChatCommand, { do: 'set' | 'unset' }>): Promise<void> {
    const [flags, setup] = [this.#flags, this.#setup]
    try {
      const changed = { ...flags, ...(command.do === 'set' && command.value) }
      if (command.do === 'unset') delete changed[command.flag]
      await this.#configure(changed)
      await this.#engines()
    } catch (error) {
      this.#flags = flags
      this.#setup = setup
      throw error
    }
    this.#tell(this.#describe())
  }

  async #configure(flags: ChatFlags): Promise<void> {
    this.#setup = await readAnswerFlags(flags, NO_SEED)
    this.#flags = flags
  }

  /** Opens the engines of the plan, unless they are open. */
  async #engines(signal?: AbortSignal): Promise<OpenedEngines> {
    const { plan, engineFlags } = this.#setup as AnswerSetup
    const { config, ...settings } = engineFlags
    const key = JSON.stringify([enginesOf(plan), settings])
    if (this.#opened?.key === key) return this.#opened
    const { createAskStatus } = await import('../render/ask-status.ts')
    const status = this.#flags.progress && this.#isTyped ? createAskStatus(plan, process.stderr) : undefined
    try {
      const opened = await openPlan(plan, { ...engineFlags, signal, onProgress: status?.pull })
      await this.#opened?.close()
      this.#opened = { ...opened, key }
      return opened
    } finally {
      status?.close()
    }
  }

  /** Answers a question. Ctrl-C ends the answer; what it has written stays in the conversation. */
  async #answer(question: string): Promise<void> {
    const { template, plan: made } = this.#setup as AnswerSetup
    const plan = made.seed === NO_SEED ? { ...made, seed: randomInt(2 ** 31) } : made
    const stop = new AbortController()
    const forget = onInterrupt((reason) => stop.abort(reason))
    const written = followAnswer()
    const view = await openAskView(plan, 'text', this.#flags.progress)
    const messages: Message[] = [...this.#messages(), { role: 'user', content: question }]
    try {
      const { engines } = await this.#engines(stop.signal)
      const emit = (event: AftEvent) => {
        written.event(event)
        view.event(event)
      }
      const host = makeHost({ engines, template, emit, signal: stop.signal })
      const result = await answerInForm({ id: '0', messages }, plan, host)
      view.end(result)
      this.#turns.push({ question, answer: result.answer, result })
    } catch (error) {
      if (!stop.signal.aborted) throw error
      view.stop()
      this.#keep(question, written.text())
    } finally {
      view.close()
      forget()
      this.#tell('')
    }
  }

  #keep(question: string, answer: string): void {
    if (answer !== '') this.#turns.push({ question, answer })
    this.#tell(
      answer === ''
        ? 'There is no answer yet, so the conversation is as before.'
        : 'The conversation keeps this part of the answer; /retry asks again, /undo takes it back.',
    )
  }

  #messages(): Message[] {
    const { system } = this.#flags
    const turns = this.#turns.flatMap(({ question, answer }): Message[] => [
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ])
    return system === undefined ? turns : [{ role: 'system', content: system }, ...turns]
  }

  /** `smollm2 · aft · width 3, depth 1 · 4 completions per answer`, then other settings. */
  #describe(): string {
    const { plan, options } = this.#setup as AnswerSetup
    const { strategy = 'aft', ...others } = options
    const shown = ['temperature', 'topP', 'maxTokens', 'reasoning', 'steps', 'sample'] as const
    const facts = [
      redact(enginesOf(plan).join(', ')),
      plan.strategy ?? strategy,
      `width ${plan.layers[0] ? countMembers(plan.layers[0]) : 0}, depth ${plan.layers.length - 1}`,
      `${showCount(countCompletions(plan), 'completion')} per answer`,
      ...shown.flatMap((name) =>
        others[name] === undefined ? [] : [`${flagName(name).slice(2)} ${others[name]}`],
      ),
    ]
    return sanitize(facts.join(' · '))
  }

  /** Tells the person something that is no answer. */
  #tell(text: string): void {
    if (this.#isTyped) {
      const { dim } = makeStyle(process.stdout.hasColors())
      console.log(inLocale(text.split('\n').map(dim).join('\n')))
    } else if (text !== '') console.error(inLocale(text))
  }
}

/** Follows the last layer's text, to have a part of the answer if it is stopped. */
function followAnswer() {
  let text = ''
  let isLast = false
  return {
    event(event: AftEvent) {
      if (event.type === 'layer-start') isLast = event.isLast && event.width === 1
      if (event.type === 'completion-restarted') text = ''
      if (event.type === 'completion-delta' && isLast) text += event.text
    },
    text: () => text.trim(),
  }
}
