/** `aft train` and its subcommands. */
import { Command } from 'commander'

const help = `
The run's folder then holds metrics.jsonl, loss.svg, a model card, checkpoints, the
weights (model/) and a GGUF file: aft ask --model FOLDER opens it. The same command
resumes an interrupted run after its last checkpoint; --restart begins anew.
Set OMP_NUM_THREADS if other work needs cores too. Exit code: 0, 1 for a failure,
2 for wrong usage, 130 after Ctrl-C.

Examples:
  $ aft train setup
  $ aft data build --format arithmetic --problems 400 --sft-twin -o data
  $ aft train recipes/smollm2-135m-cpu.yaml --data data -o tuned
  $ aft train recipes/smollm2-135m-cpu.yaml --data data -o twin --rows sft --set max_steps=30
  $ aft ask --model tuned "Ann has 3 apples and buys 4 more. How many?"
  $ aft train export tuned -o merged`

/** Makes the command with its subcommands. */
export async function trainCommand(): Promise<Command> {
  const [{ setupCommand }, { exportCommand }, { pushCommand }, { addTraining }] = await Promise.all([
    import('./setup.ts'),
    import('./export.ts'),
    import('./push.ts'),
    import('./run.ts'),
  ])
  const command = new Command('train')
    .description('Fine-tune a model on the examples of `aft data build`, with TRL of Hugging Face.')
    .addHelpText('after', help)
  for (const sub of [setupCommand(), exportCommand(), pushCommand()]) command.addCommand(sub)
  return addTraining(command)
}
