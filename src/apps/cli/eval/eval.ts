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
    { puzzles },
    { harnessCommand },
    { mtBenchCommand },
    { fetchCommand },
    { tableCommand },
  ] = await Promise.all([
    import('./win-rate.ts'),
    import('./alpaca-eval.ts'),
    import('./controls.ts'),
    import('../../../eval/gsm8k.ts'),
    import('../../../eval/ifeval.ts'),
    import('../../../eval/puzzles.ts'),
    import('./harness.ts'),
    import('./mt-bench.ts'),
    import('./fetch.ts'),
    import('./table.ts'),
  ])
  const command = new Command('eval')
    .description('Measure answers on benchmarks: is aggregation better, by how much, at what cost.')
    .addHelpText('after', examples)
  const subs = [
    controlsCommand(
      gsm8k,
      'Measure answers to grade-school math, without a judge, and compare with simpler methods.',
    ),
    controlsCommand(
      ifeval((line) => console.error(line)),
      'Measure how well instructions are followed, checked by a program, and compare with simpler methods.',
    ),
    controlsCommand(
      puzzles,
      'Measure answers to puzzles that one pass cannot solve, and compare with simpler methods.',
    ),
    mtBenchCommand(),
    alpacaEvalCommand(),
    winRateCommand(),
    harnessCommand(),
    tableCommand(),
    fetchCommand(),
  ]
  for (const sub of subs) command.addCommand(sub)
  return command
}
