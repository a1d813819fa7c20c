/** `aft train export`: writes a run's weights as one folder that vLLM and other servers open. */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import { redact, UsageError } from '../../../core/provider/errors.ts'
import { type Checkpoint, readRecord } from '../../../files/checkpoint.ts'
import { checkpointFile, isCheckpoint } from '../../../files/find-checkpoint.ts'
import { toFileError } from '../../../lib/file-error.ts'
import { prepareBase } from '../../../train/base.ts'
import { writeWeights } from '../../../train/finish.ts'
import type { Recipe } from '../../../train/recipe.ts'
import { readRunRecipe } from '../../../train/recipe-file.ts'
import { watchInterrupts } from '../interrupt.ts'
import { findGguf } from './run.ts'
import { ensureEnvironment } from './setup.ts'

interface ExportFlags {
  output: string
  dtype: string
  python?: string
}

/** Makes the command `aft train export`. */
export function exportCommand(): Command {
  return new Command('export')
    .description('Write a trained model as one folder for vLLM and other servers; a LoRA adapter is merged.')
    .argument('<folder>', 'folder that `aft train` made')
    .requiredOption('-o, --output <folder>', 'folder for the model')
    .addOption(
      new Option('--dtype <type>', 'number format of the weights')
        .choices(['bfloat16', 'float16', 'float32'])
        .default('bfloat16'),
    )
    .option('--python <path>', 'Python to merge with, instead of the one that `aft train setup` makes')
    .addHelpText('after', '\nExample:\n  $ aft train export tuned -o merged')
    .action((folder: string, flags: ExportFlags) => exportModel(folder, flags))
}

async function exportModel(folder: string, { output, dtype, python: own }: ExportFlags): Promise<void> {
  const model = path.join(folder, 'model')
  if (!existsSync(path.join(model, 'complete'))) {
    throw new UsageError(`${folder} does not have a trained model; give a folder that \`aft train\` finished`)
  }
  if (existsSync(output)) throw new UsageError(`${output} exists already; give another -o`)
  const recipe = readRunRecipe(folder)
  const unfinished = `${path.resolve(output)}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  try {
    await exportWeights(folder, recipe, unfinished, { dtype, python: own })
    writeCard(folder, unfinished)
    renameSync(unfinished, output)
  } catch (error) {
    throw toFileError(output, error)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  console.error(`serve it: vllm serve ${output}`)
}

/** Writes a card that names the template of the training, so that the server's name of the model is enough: URL#FOLDER. */
export function writeCard(folder: string, out: string): void {
  if (!isCheckpoint(folder)) return
  const { type, version, templates, chatTemplateSha256 } = readRecord(folder)
  const card: Checkpoint = { type, version, templates, chatTemplateSha256 }
  writeFileSync(path.join(out, checkpointFile), `${JSON.stringify(card, null, 2)}\n`)
}

async function exportWeights(
  folder: string,
  { method, base: recipeBase }: Recipe,
  out: string,
  { dtype, python: own }: Pick<ExportFlags, 'dtype' | 'python'>,
): Promise<void> {
  const signal = watchInterrupts()
  const python = await ensureEnvironment(own)
  const trained = path.join(folder, 'model')
  if (method === 'full') return writeWeights(trained, '-', out, dtype, { python, signal })
  // The record names the exact base, because a name such as `smollm2` may mean another file now.
  const name = (isCheckpoint(folder) ? readRecord(folder).base?.model : undefined) ?? recipeBase
  const base = await prepareBase(name, { python, signal, findGguf, onLine: (l) => console.error(redact(l)) })
  await writeWeights(base.model, trained, out, dtype, { python, signal })
}
