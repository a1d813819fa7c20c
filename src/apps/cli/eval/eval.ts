/** `aft eval` and its subcommands. */
import { Command } from 'commander'
import type { Task } from '../../../eval/task.ts'
import { addCommands, type Called, type LazyCommand } from '../commands.ts'

const examples = `
Examples:
  $ aft eval gsm8k --official --model smollm2 --limit 200 -o results
  $ aft eval mt-bench --official --model smollm2 --judge openai:gpt-4.1 --dry-run -o results
  $ aft eval alpaca-eval --outputs outputs.json --official --judge openai:gpt-4.1 --dry-run
  $ aft eval win-rate --annotations annotations.json --official`

const commands: Record<string, LazyCommand> = {
  gsm8k: {
    about: 'Measure answers to grade-school math, without a judge, and compare with simpler methods.',
    load: async () => controls((await import('../../../eval/gsm8k.ts')).gsm8k),
  },
  ifeval: {
    about:
      'Measure how well instructions are followed, checked by a program, and compare with simpler methods.',
    load: async () =>
      controls((await import('../../../eval/ifeval.ts')).ifeval((line) => console.error(line))),
  },
  puzzles: {
    about: 'Measure answers to puzzles that one pass cannot solve, and compare with simpler methods.',
    load: async () => controls((await import('../../../eval/puzzles.ts')).puzzles),
  },
  'mt-bench': {
    about: 'Measure answers to two-turn questions, graded 1 to 10 by a judge.',
    load: async () => (await import('./mt-bench.ts')).mtBenchCommand(),
  },
  'alpaca-eval': {
    about: "Have a judge compare a system's outputs with a baseline's, as AlpacaEval 2 does.",
    load: async () => (await import('./alpaca-eval.ts')).alpacaEvalCommand(),
  },
  'win-rate': {
    about: "Compute AlpacaEval's win rate, raw and length-controlled, from annotations.",
    load: async () => (await import('./win-rate.ts')).winRateCommand(),
  },
  harness: {
    about: "Run tasks of EleutherAI's evaluation harness, each answer aggregated.",
    load: async () => (await import('./harness.ts')).harnessCommand(),
  },
  table: {
    about: 'Compare models and ways to answer in one table, made from the answers that evaluations kept.',
    load: async () => (await import('./table.ts')).tableCommand(),
  },
  fetch: {
    about: "Download a benchmark's files from their owner and print their paths.",
    load: async () => (await import('./fetch.ts')).fetchCommand(),
  },
}

async function controls(task: Task): Promise<Command> {
  return (await import('./controls.ts')).controlsCommand(task)
}

/** Makes the command with its subcommands. */
export function evalCommand(called: Called): Promise<Command> {
  const command = new Command('eval')
    .description('Measure answers on benchmarks: is aggregation better, by how much, at what cost.')
    .addHelpText('after', examples)
  return addCommands(command, commands, called)
}
