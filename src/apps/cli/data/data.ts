/** `aft data` and its subcommands, loaded when it is called. */
import { Command } from 'commander'

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

/** Makes the command with its subcommands. */
export async function dataCommand(): Promise<Command> {
  const [
    { buildCommand },
    { showCommand, validateCommand },
    { exportCommand },
    { proposeCommand },
    { labelCommand },
    { mergeCommand },
    { pushCommand },
  ] = await Promise.all([
    import('./build.ts'),
    import('./show.ts'),
    import('./export.ts'),
    import('./propose.ts'),
    import('./label.ts'),
    import('./merge.ts'),
    import('./push.ts'),
  ])
  const command = new Command('data')
    .description('Turn several responses per prompt into examples to train an aggregator with.')
    .addHelpText('after', examples)
  const subs = [
    proposeCommand(),
    labelCommand(),
    buildCommand(),
    mergeCommand(),
    showCommand(),
    validateCommand(),
    exportCommand(),
    pushCommand(),
  ]
  for (const sub of subs) command.addCommand(sub)
  return command
}
