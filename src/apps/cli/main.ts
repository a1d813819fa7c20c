/** The command line: its commands, and how it reports errors. */
import { Command, CommanderError } from 'commander'
import { describeError, UsageError } from '../../core/provider/errors.ts'
import { toCallersError } from '../../files/file-errors.ts'
import { readVersion } from '../../lib/version.ts'
import { addCommands, type Called, type LazyCommand } from './commands.ts'
import { showError } from './describe-error.ts'
import { styleHelp } from './help.ts'
import { Interrupted } from './interrupt.ts'
import { addRemovedFlags } from './removed.ts'
import { stringifySafely } from './render/sanitize.ts'
import { wordErrors } from './wrong-usage.ts'

const commands: Record<string, LazyCommand> = {
  ask: { about: 'Answer one prompt.', load: async () => (await import('./ask.ts')).askCommand() },
  chat: {
    about: 'Talk with a model, turn by turn.',
    load: async () => (await import('./chat/chat.ts')).chatCommand(),
  },
  run: { about: 'Answer a file of prompts.', load: async () => (await import('./run.ts')).runCommand() },
  work: {
    about: 'Answer prompts of a queue, on any number of machines.',
    load: async () => (await import('./work.ts')).workCommand(),
  },
  status: {
    about: 'Say how far the runs of a queue are.',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  serve: {
    about: 'Serve any engine over HTTP: the OpenAI and Anthropic APIs, and a page.',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  data: {
    about: 'Build training data.',
    load: async (called) => (await import('./data/data.ts')).dataCommand(called),
  },
  train: {
    about: 'Fine-tune a model on training data.',
    load: async () => (await import('./train/train.ts')).trainCommand(),
  },
  eval: {
    about: 'Measure answers on benchmarks.',
    load: async (called) => (await import('./eval/eval.ts')).evalCommand(called),
  },
  analyze: {
    about: 'Explain answers, costs and training curves.',
    load: async (called) => (await import('./analyze/analyze.ts')).analyzeCommand(called),
  },
  demo: {
    about: 'Show an example run, without a model.',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  export: {
    about: 'Write answers with their proposals as one file to send.',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  report: {
    about: 'Write results as one HTML page.',
    load: async () => (await import('./report.ts')).reportCommand(),
  },
  plan: {
    about: 'Say what a run will take.',
    load: async () => (await import('./plan.ts')).planCommand(),
  },
  journal: {
    about: 'Check and repair journals.',
    load: async () => (await import('./journal.ts')).journalCommand(),
  },
  models: {
    about: 'List and download models.',
    load: async () => (await import('./models.ts')).modelsCommand(),
  },
  init: {
    about: 'Find servers and keys, and write a config.',
    load: async () => (await import('./init.ts')).initCommand(),
  },
  doctor: {
    about: 'Say what is missing on this machine.',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  completion: {
    about: 'Print a script that completes commands in a shell.',
    load: async () => (await import('./completion.ts')).completionCommand(() => makeProgram('all')),
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

/** Makes the command line and loads the command that is called, or all of them. */
export async function makeProgram(called: Called): Promise<Command> {
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
  await addCommands(program, commands, called)
  for (const command of program.commands) {
    addRemovedFlags(command, command.name())
    inheritSettings(command, program)
  }
  return program
}

/** Copies settings to subcommands. Commander does that only for commands that it makes itself. */
function inheritSettings(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  wordErrors(command)
  if (command.commands.length > 0) command.helpCommand('help [command]', 'Show the help of a command.')
  for (const nested of command.commands) inheritSettings(nested, command)
}

/** Prints an error in a line or two and returns the exit code. AFT_DEBUG=1 shows the stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // it has printed the help
  if (error instanceof Interrupted) return error.exitCode
  console.error(showError(error))
  return error instanceof UsageError ? 2 : 1
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
