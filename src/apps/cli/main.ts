/** The command line: its commands, and how it reports errors. */
import { Command, CommanderError } from 'commander'
import { DataError, describeError, EngineError, redact, UsageError } from '../../core/provider/errors.ts'
import { type EngineOptionName, engineFlagNames } from '../../engines/engine-options.ts'
import { toCallersError } from '../../files/file-errors.ts'
import { readVersion } from '../../lib/version.ts'
import { planOptions } from '../../plans/options.ts'
import { styleHelp } from './help.ts'
import { Interrupted } from './interrupt.ts'
import { flagName } from './plan-flags.ts'
import { addRemovedFlags } from './removed.ts'
import { sanitize, stringifySafely } from './render/sanitize.ts'
import { wordErrors } from './wrong-usage.ts'

/** Each command is loaded only when it is called. So `aft --help` is quick, and `ask` loads only what it needs. */
const commands: Record<string, { about: string; load: () => Promise<Command> }> = {
  ask: { about: 'Answer one prompt.', load: async () => (await import('./ask.ts')).askCommand() },
  run: { about: 'Answer a file of prompts.', load: async () => (await import('./run.ts')).runCommand() },
  serve: {
    about: 'Serve any engine over HTTP: the OpenAI and Anthropic APIs, and a page.',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  data: { about: 'Build training data.', load: async () => (await import('./data/data.ts')).dataCommand() },
  train: {
    about: 'Fine-tune a model on training data.',
    load: async () => (await import('./train/train.ts')).trainCommand(),
  },
  eval: {
    about: 'Measure answers on benchmarks.',
    load: async () => (await import('./eval/eval.ts')).evalCommand(),
  },
  analyze: {
    about: 'Explain answers, costs and training curves.',
    load: async () => (await import('./analyze/analyze.ts')).analyzeCommand(),
  },
  report: {
    about: 'Write results as one HTML page.',
    load: async () => (await import('./report.ts')).reportCommand(),
  },
  models: {
    about: 'List and download models.',
    load: async () => (await import('./models.ts')).modelsCommand(),
  },
  doctor: {
    about: 'Say what is missing on this machine.',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
}

/** The names of the commands. */
export const commandNames = Object.keys(commands)

const examples = `
Examples:
  $ aft ask "Why is the sky blue?"
  $ aft run prompts.jsonl -o answers.jsonl --model http://127.0.0.1:8000/v1#llama
  $ aft models`

/** Runs the command line and sets the exit code: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C. */
export async function main(argv: string[]): Promise<void> {
  watchOutput()
  try {
    const program = await makeProgram(argv)
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    const reported = toCallersError(error)
    if (isAskedForJson(argv, reported)) console.log(stringifySafely({ error: describeError(reported) }))
    process.exitCode = report(reported)
  }
}

/** Whether the caller of `aft ask` reads JSON from standard output: then the error is there, too. */
function isAskedForJson([name, ...rest]: string[], error: unknown): boolean {
  const isEnd = error instanceof CommanderError || error instanceof Interrupted
  return name === 'ask' && rest.includes('--json') && !isEnd
}

/** Makes the command line and loads the wanted command. */
export async function makeProgram(argv: string[]): Promise<Command> {
  const program = styleHelp(new Command('aft'))
    .description(
      'Ask a model the same question several times, then have a model write one answer from the replies.',
    )
    .version(readVersion(), '-V, --version', 'show the version')
    .helpCommand('help [command]', 'Show the help of a command.')
    .addHelpText('after', examples)
    .exitOverride()
    .enablePositionalOptions() // in `aft train export FOLDER -o OUT` the flag is that of `export`
  wordErrors(program)
  const wanted = argv[0] === 'help' ? argv[1] : argv[0]
  for (const [name, { about, load }] of Object.entries(commands)) {
    const command = (name === wanted ? await load() : new Command(name)).summary(about)
    if (name === wanted) addRemovedFlags(command, name)
    program.addCommand(inheritSettings(command, program))
  }
  return program
}

/** Copies settings to subcommands. Commander does that only for commands that it makes itself. */
function inheritSettings(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent)
  wordErrors(command)
  if (command.commands.length > 0) command.helpCommand('help [command]', 'Show the help of a command.')
  for (const nested of command.commands) inheritSettings(nested, command)
  return command
}

/** Prints an error in a line or two and returns the exit code. AFT_DEBUG=1 shows the stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // it has printed the help
  if (error instanceof Interrupted) return error.exitCode
  const stack = process.env.AFT_DEBUG && error instanceof Error ? error.stack : undefined
  console.error(`error: ${sanitize(redact(stack ?? describe(error)))}`)
  return error instanceof UsageError ? 2 : 1
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message } = error
  if (error instanceof EngineError) return `${error.engine}: ${message}`
  if (error instanceof UsageError && error.param !== undefined) return withFlagNames(message)
  const isExpected = error instanceof UsageError || error instanceof DataError || 'code' in error
  return isExpected ? message : `${message} (a fault in aft itself; AFT_DEBUG=1 shows where)`
}

/** Replaces the API's names of options by flags, because the user typed flags. */
function withFlagNames(message: string): string {
  return message.replace(/`(\w+)`/g, (all, name) => (isFlag(name) ? flagName(name) : all))
}

function isFlag(name: string): boolean {
  return Object.hasOwn(planOptions, name) || engineFlagNames.includes(name as EngineOptionName)
}

/** Ends silently if the reader of a pipe is gone, as in `aft ask … | head -1`. */
function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    console.error(`error: cannot write to standard output: ${error.message}`)
    process.exit(1)
  })
  process.stderr.on('error', () => {})
}
