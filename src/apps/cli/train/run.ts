/** `aft train RECIPE.yaml`: trains a model from a recipe and rows. */
import { statSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { Option } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { needPackages } from '../../../files/optional-packages.ts'
import { drawLoss } from '../../../report/training.ts'
import type { GgufBase } from '../../../train/base.ts'
import { finishRun } from '../../../train/finish.ts'
import { readRecipe } from '../../../train/recipe-file.ts'
import { train } from '../../../train/run.ts'
import { watchInterrupts } from '../interrupt.ts'
import { ensureEnvironment } from './setup.ts'
import { openTrainView } from './view.ts'

interface TrainFlags {
  data?: string
  set: string[]
  rows?: string
  output?: string
  restart?: boolean
  python?: string
}

/** Adds arguments, flags and action of training to the command. */
export function addTraining(command: Command): Command {
  const collect = (value: string, before: string[]) => [...before, value]
  return command
    .argument('[recipe]', 'YAML file that says what is trained and how; recipes/ has some (required)')
    .option('-d, --data <folder>', 'folder that `aft data build` made (default: `data` of the recipe)')
    .option('-o, --output <folder>', 'folder for the run (required)')
    .option(
      '--set <field=value>',
      'change a field of the recipe, such as max_steps=30; may be repeated',
      collect,
      [],
    )
    .addOption(
      new Option('--rows <which>', 'rows to train on: aft has proposals, sft does not')
        .choices(['aft', 'sft', 'both'])
        .default(undefined, '`rows` of the recipe'),
    )
    .option('--restart', 'move the run that the folder holds into old/ and begin anew')
    .option('--python <path>', 'Python to train with, instead of the one that `aft train setup` makes')
    .action((recipe: string | undefined, flags: TrainFlags) => runRecipe(recipe, flags))
}

async function runRecipe(file: string | undefined, flags: TrainFlags): Promise<void> {
  if (file === undefined)
    throw new UsageError('expected a recipe: aft train recipes/smollm2-135m-cpu.yaml --data data -o tuned')
  const { output, restart } = flags
  if (output === undefined) throw new UsageError('expected -o, a folder for the run')
  needPackages('drawing charts')
  const signal = watchInterrupts()
  const rows = flags.rows === undefined ? [] : [`rows=${flags.rows}`]
  const recipe = readRecipe(file, [...flags.set, ...rows])
  const data = flags.data ?? recipe.data
  if (data === undefined) throw new UsageError('expected --data, a folder that `aft data build` made')
  checkPlaces(data, output)
  const python = await ensureEnvironment(flags.python)
  const view = openTrainView(output)
  const onLine = view.line
  try {
    await train(
      { recipe, data, output, restart, python, signal, findGguf, onEvent: view.event, onLine },
      async (trained) => {
        await drawLoss(output)
        await finishRun(trained, { python, signal, onLine })
      },
    )
    view.end()
  } catch (error) {
    view.stop()
    if (signal.aborted)
      console.error(`stopped; run the same command to resume after the last checkpoint in ${output}`)
    signal.throwIfAborted()
    throw error
  }
}

/** Before anything is installed. */
function checkPlaces(data: string, output: string): void {
  if (!statSync(data, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--data ${data}: there is no such folder; expected one that \`aft data build\` made`)
  if (statSync(output, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`-o ${output}: is a file; expected a folder for the run`)
}

/** Finds the GGUF file of a listed model, of `gguf:FILE` or of `hf:USER/REPO:QUANT`; undefined for other names. */
export async function findGguf(name: string): Promise<GgufBase | undefined> {
  const { catalog, resolveModel } = await import('../../../engines/models/models.ts')
  if (!/^(gguf|hf):/.test(name) && !catalog.some((model) => model.name === name)) return undefined
  const { file, license, model } = await resolveModel(name)
  return { model: name.startsWith('gguf:') ? `gguf:${path.resolve(file)}` : model, file, license }
}
