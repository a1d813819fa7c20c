/** `aft analyze` and its subcommands: explains what aggregation did, and what it takes. */
import { Command } from 'commander'
import { addCommands, type Called, type LazyCommand } from '../commands.ts'

const examples = `
Examples:
  $ aft analyze attribution answers.jsonl.journal
  $ aft analyze overhead answers.jsonl.journal
  $ aft analyze influence answers.jsonl.journal --model smollm2 -o influence
  $ aft analyze perplexity data --model smollm2 -o perplexity
  $ aft analyze convergence --group aft=runs/aft-1,runs/aft-2 --group sft=runs/sft-1,runs/sft-2 -o curves
  $ aft analyze scaling test.jsonl --model smollm2 --widths 2,4 --depths 0,1,2 -o grid`

const commands: Record<string, LazyCommand> = {
  attribution: {
    about: 'Show what answers took from which proposals.',
    load: async () => (await import('./attribution.ts')).attributionCommand(),
  },
  overhead: {
    about: 'Count calls, tokens and time: measured in journals, predicted, and compared with best of n.',
    load: async () => (await import('./overhead.ts')).overheadCommand(),
  },
  influence: {
    about: 'Measure what answers owe to each proposal: their probability without it.',
    load: async () => (await import('./influence.ts')).influenceCommand(),
  },
  perplexity: {
    about: 'Measure how well a model expects the targets, with and without proposals.',
    load: async () => (await import('./perplexity.ts')).perplexityCommand(),
  },
  convergence: {
    about: 'Compare training curves: what is gained after how many steps and tokens.',
    load: async () => (await import('./convergence.ts')).convergenceCommand(),
  },
  scaling: {
    about: 'Measure a grid of widths and depths; what several points need is sampled once.',
    load: async () => (await import('./scaling.ts')).scalingCommand(),
  },
}

/** Makes the command with its subcommands. */
export function analyzeCommand(called: Called): Promise<Command> {
  const command = new Command('analyze')
    .description('Explain answers, costs and training curves.')
    .addHelpText('after', examples)
  return addCommands(command, commands, called)
}
