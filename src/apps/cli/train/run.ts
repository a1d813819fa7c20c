/** `aft train RECIPE.yaml`: trains a model from a recipe and rows. */
import { statSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { Option } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { findCheckpoint } from '../../../files/find-checkpoint.ts'
import { needPackages } from '../../../files/optional-packages.ts'
import { drawLoss } from '../../../report/training.ts'
import type { GgufBase } from '../../../train/base.ts'
import { finishRun } from '../../../train/finish.ts'
import { planRun } from '../../../train/plan-run.ts'
import { prepareRun, readEndedRun } from '../../../train/prepare.ts'
import { checkTrackers } from '../../../train/python-facts.ts'
import type { Recipe } from '../../../train/recipe.ts'
import { readRecipe } from '../../../train/recipe-file.ts'
import { type TrainOptions, train } from '../../../train/run.ts'
import { watchInterrupts } from '../interrupt.ts'
import { amount, whole } from '../option-types.ts'
import { sanitize, stringifySafely } from '../render/sanitize.ts'
import { describePlan } from './plan.ts'
import { ensureEnvironment } from './setup.ts'
import { openTrainView } from './view.ts'

interface TrainFlags {
  data?: string
  set: string[]
  rows?: string
  output?: string
  restart?: boolean
  python?: string
  plan?: boolean
  tflops?: number
  json?: boolean
  prepare?: boolean
  nodes: number
  finish?: string
  reward?: string
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
    .option(
      '--reward <file>',
      'Python file with a function reward(text, target, prompt), for recipes with objective: grpo (default: `reward` of the recipe)',
    )
    .option('--restart', 'move the run that the folder holds into old/ and begin anew')
    .option('--python <path>', 'Python to train with, instead of the one that `aft train setup` makes')
    .option('--plan', 'print rows, updates, memory, disk and hours of the training, and start nothing')
    .addOption(amount('--tflops <n>', 'TFLOP per second of a process, for the hours of --plan'))
    .option('--json', 'print the plan as JSON')
    .option('--prepare', 'write what torchrun needs into the folder, for machines that a scheduler starts')
    .addOption(whole('--nodes <n>', 'machines that --prepare writes for', 1).default(1))
    .option('--finish <folder>', 'make the card, plots and GGUF file of a run that a scheduler started')
    .action((recipe: string | undefined, flags: TrainFlags) => runRecipe(recipe, flags))
}

async function runRecipe(file: string | undefined, flags: TrainFlags): Promise<void> {
  checkFlags(flags)
  if (flags.finish !== undefined) return finishPrepared(file, flags.finish, flags)
  if (file === undefined)
    throw new UsageError('expected a recipe: aft train recipes/smollm2-135m-cpu.yaml --data data -o tuned')
  const { restart, reward, nodes } = flags
  const output = flags.output ?? (flags.plan ? '.' : undefined)
  if (output === undefined) throw new UsageError('expected -o, a folder for the run')
  needPackages('drawing charts')
  const signal = watchInterrupts()
  const rows = flags.rows === undefined ? [] : [`rows=${flags.rows}`]
  const recipe = readRecipe(file, [...flags.set, ...rows])
  const data = flags.data ?? recipe.data
  if (data === undefined) throw new UsageError('expected --data, a folder that `aft data build` made')
  checkPlaces(data, output)
  checkReward(flags.reward, recipe)
  if (recipe.objective === 'grpo' && (flags.plan || flags.prepare))
    throw new UsageError('--plan and --prepare are for recipes with objective: sft')
  const python = await ensureEnvironment(flags.python)
  await checkTrackers(python, recipe.trl?.report_to)
  const options = { recipe, data, output, restart, reward, python, signal, findGguf }
  const onLine = (line: string) => console.error(sanitize(line))
  if (flags.plan) return printPlan({ ...options, onLine }, flags)
  if (flags.prepare) {
    const script = await prepareRun({ ...options, nodes, onLine })
    const where = nodes === 1 ? 'run' : `on each of ${nodes} machines run`
    console.error(`${where}: bash ${script}; then: aft train --finish ${output}`)
    return
  }
  await trainHere(options)
}

function checkFlags({ plan, prepare, finish, tflops, json, nodes, restart }: TrainFlags): void {
  const modes = Object.entries({ '--plan': plan, '--prepare': prepare, '--finish': finish }).filter(
    ([, on]) => on,
  )
  if (modes.length > 1) throw new UsageError(`expected one of ${modes.map(([name]) => name).join(', ')}`)
  if (!plan && (tflops !== undefined || json)) throw new UsageError('--tflops and --json are for --plan')
  if (!prepare && nodes !== 1) throw new UsageError('--nodes is for --prepare')
  if (restart && (plan || finish))
    throw new UsageError('--restart begins a run; it is not for --plan or --finish')
}

async function printPlan(
  options: Parameters<typeof planRun>[0],
  { tflops, json }: TrainFlags,
): Promise<void> {
  const plan = await planRun({ ...options, tflops })
  console.log(json ? stringifySafely(plan, 2) : sanitize(describePlan(plan)))
  if (plan.problems.length > 0) process.exitCode = 1
}

/** Makes the results of a run that a scheduler started and that has ended. */
async function finishPrepared(file: string | undefined, folder: string, flags: TrainFlags): Promise<void> {
  const given = [
    file && 'a recipe',
    flags.output && '-o',
    flags.data && '--data',
    flags.set.length > 0 && '--set',
  ]
  const extra = given.find(Boolean)
  if (extra) throw new UsageError(`--finish takes all from the folder, got ${extra} too`)
  needPackages('drawing charts')
  const recipe = readEndedRun(folder)
  const signal = watchInterrupts()
  const python = await ensureEnvironment(flags.python)
  await trainHere({ recipe, data: recipe.data, output: folder, python, signal, findGguf })
}

/** Trains on this machine, or only finishes what is trained. */
async function trainHere(options: Omit<TrainOptions, 'onEvent' | 'onLine'>): Promise<void> {
  const { output, python, signal } = options
  const view = openTrainView(output)
  const onLine = view.line
  try {
    await train({ ...options, onEvent: view.event, onLine }, async (trained) => {
      await drawLoss(output)
      await finishRun(trained, { python, signal, onLine })
    })
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

function checkReward(file: string | undefined, { objective }: Recipe): void {
  if (file === undefined) return
  if (objective !== 'grpo') throw new UsageError('--reward is only for recipes with objective: grpo')
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(
      `--reward ${file}: there is no such file; expected one with a function reward(text, target, prompt)`,
    )
}

/** Finds the GGUF files of a listed or a trained model, of `gguf:FILE` or of `hf:USER/REPO:QUANT`; undefined for other names. */
export async function findGguf(name: string): Promise<GgufBase | undefined> {
  const trained = findCheckpoint(name)
  if (trained !== undefined) {
    const { readCheckpoint } = await import('../../../engines/models/checkpoint.ts')
    const { record, file, lora } = await readCheckpoint(trained)
    return { model: `gguf:${path.resolve(file)}`, file, license: record.license, adapters: lora }
  }
  const { catalog, resolveModel } = await import('../../../engines/models/models.ts')
  if (!/^(gguf|hf):/.test(name) && !catalog.some((model) => model.name === name)) return undefined
  const { file, license, model } = await resolveModel(name)
  return { model: name.startsWith('gguf:') ? `gguf:${path.resolve(file)}` : model, file, license }
}
