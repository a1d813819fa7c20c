/** `aft eval`: its commands, each loaded when it is called. */
import { Command } from 'commander'

const examples = `
Examples:
  $ aft eval alpaca-eval --outputs outputs.json --baseline gpt4_1106_preview.json --judge openai:gpt-4.1 --dry-run
  $ aft eval win-rate --annotations annotations.json --gamed df_gamed.csv --instruction-difficulty instruction_difficulty.csv`

/** The subcommand with its own. */
export async function evalCommand(): Promise<Command> {
  const [{ winRateCommand }, { alpacaEvalCommand }] = await Promise.all([
    import('./eval-win-rate.ts'),
    import('./eval-alpaca-eval.ts'),
  ])
  const command = new Command('eval')
    .description('Measure answers: is it better, by how much, at what cost.')
    .addHelpText('after', examples)
  for (const sub of [winRateCommand(), alpacaEvalCommand()]) command.addCommand(sub)
  return command
}
