/** `aft train`: its commands. */
import { Command } from 'commander'

const examples = `
Examples:
  $ aft train setup`

/** The command with its subcommands. */
export async function trainCommand(): Promise<Command> {
  const [{ setupCommand }] = await Promise.all([import('./train-setup.ts')])
  const command = new Command('train')
    .description('Fine-tune a model on aggregation examples, with TRL.')
    .addHelpText('after', examples)
  for (const sub of [setupCommand()]) command.addCommand(sub)
  return command
}
