/** `aft data` and its subcommands. */
import { Command } from 'commander'
import { addCommands, type Called, type LazyCommand } from '../commands.ts'

const examples = `
Examples:
  $ aft data build --format arithmetic --problems 2000 -o data
  $ aft data build ultrafeedback/*.parquet --format ultrafeedback --target best --proposals 3 -o data
  $ aft data build solutions.jsonl --format gsm8k-solutions --decontaminate none -o data
  $ aft data propose prompts.jsonl --model smollm2 --proposals 4 -o proposed.jsonl
  $ aft data label proposed.jsonl --model http://127.0.0.1:8000/v1#llama -o labeled.jsonl
  $ aft data show data
  $ aft data export data --to llama-factory -o exported
  $ aft data push data my-name/my-rows --private`

const commands: Record<string, LazyCommand> = {
  propose: {
    about: 'Have a model write several responses per prompt.',
    load: async () => (await import('./propose.ts')).proposeCommand(),
  },
  label: {
    about: 'Have a model write the target of each row from its responses.',
    load: async () => (await import('./label.ts')).labelCommand(),
  },
  build: {
    about: 'Make a folder of training examples.',
    load: async () => (await import('./build.ts')).buildCommand(),
  },
  merge: {
    about: 'Join the parts of a data set that `aft data build --shard` made.',
    load: async () => (await import('./merge.ts')).mergeCommand(),
  },
  show: {
    about: 'Print examples as a person reads them.',
    load: async () => (await import('./show.ts')).showCommand(),
  },
  validate: {
    about:
      'Check every line of a folder, as trainers do too, and that no prompt is in both train and validation.',
    load: async () => (await import('./show.ts')).validateCommand(),
  },
  export: {
    about: 'Write a folder of examples in the form that a trainer reads, or as Parquet.',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  push: {
    about: 'Upload a data set, with its card, to the Hugging Face hub.',
    load: async () => (await import('./push.ts')).pushCommand(),
  },
}

/** Makes the command with its subcommands. */
export function dataCommand(called: Called): Promise<Command> {
  const command = new Command('data')
    .description('Turn several responses per prompt into examples to train an aggregator with.')
    .addHelpText('after', examples)
  return addCommands(command, commands, called)
}
