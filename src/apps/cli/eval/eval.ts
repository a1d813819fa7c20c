/** `aft eval` and its subcommands, loaded when it is called. */
import { Command } from 'commander'

const examples = `
Examples:
  $ aft eval gsm8k --official --model smollm2 --limit 200 -o results
  $ aft eval mt-bench --official --model smollm2 --judge openai:gpt-4.1 --dry-run -o results
  $ aft eval alpaca-eval --outputs outputs.json --official --judge openai:gpt-4.1 --dry-run
  $ aft eval win-rate --annotations annotations.json --official`

/** Makes the command with its subcommands. */
export async function evalCommand(): Promise<Command> {
  const [
    { winRateCommand },
    { alpacaEvalCommand },
    { controlsCommand },
    { gsm8k },
    { ifeval },
    { harnessCommand },
    { mtBenchCommand },
    { fetchCommand },
  ] = await Promise.all([
    import('./win-rate.ts'),
    import('./alpaca-eval.ts'),
    import('./controls.ts'),
    import('../../../eval/gsm8k.ts'),
    import('../../../eval/ifeval.ts'),
    import('./harness.ts'),
    import('./mt-bench.ts'),
    import('./fetch.ts'),
  ])
  const command = new Command('eval')
    .description('Measure answers: is it better, by how much, at what cost.')
    .addHelpText('after', examples)
  const subs = [
    winRateCommand(),
    alpacaEvalCommand(),
    controlsCommand(gsm8k, 'Grade-school math, scored without a judge, beside every control.'),
    controlsCommand(
      ifeval((line) => console.error(line)),
      'Instructions that a program can check, by the published checker in Python, beside every control.',
    ),
    mtBenchCommand(),
    harnessCommand(),
    fetchCommand(),
  ]
  for (const sub of subs) command.addCommand(sub)
  return command
}
