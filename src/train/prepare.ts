/** Prepares a training that a scheduler starts, on one machine or several that share a file system. */
import { copyFileSync, existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import { UsageError } from '../core/provider/errors.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { makeFolder } from '../lib/make-folder.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { hashFiles, prepareBase } from './base.ts'
import { trainerFolder } from './environment.ts'
import { openRunFolder } from './output.ts'
import type { Recipe } from './recipe.ts'
import { readRunRecipe } from './recipe-file.ts'
import { findRows, keepBatch, recordOf, type TrainOptions, trimIfWanted, writeRequest } from './run.ts'

/** The name of the script that starts the part of one machine. */
export const launchScript = 'torchrun.sh'

/**
 * Writes all that the trainer needs into the run's folder. The scripts of the trainer are copied, so other machines need
 * only Python with the trainer's packages. A run that is in the folder will be resumed, with the same rows per update.
 * @param options `nodes` is the number of machines, each with `processes` of the recipe
 * @returns the script that each machine runs
 */
export async function prepareRun(
  options: Omit<TrainOptions, 'onEvent'> & { nodes: number },
): Promise<string> {
  const { data, output, restart, onLine, nodes, python, signal } = options
  const recipe = { ...options.recipe, processes: nodes * options.recipe.processes }
  const rows = findRows(data, recipe)
  const dataSha256 = await hashFiles([...rows.train, ...rows.evaluate])
  const folder = await openRunFolder(output, recordOf(recipe, dataSha256), { restart, onLine })
  try {
    if (folder.isTrained) throw new UsageError(`${output} is trained already: aft train --finish ${output}`)
    const base = await prepareBase(recipe.base, options)
    writeWhole(folder.file('recipe.yaml'), stringify({ ...options.recipe, data: path.resolve(data) }))
    const whole = keepBatch(recipe, folder.rowsPerUpdate)
    const request = { recipe: whole, base, rows, data, more: { external: true } }
    const files = writeRequest(folder, request)
    await trimIfWanted(folder, files, { ...request, python, signal })
    copyTrainer(folder.file('trainer'))
    const script = folder.file(launchScript)
    const how = { nodes, python, isOffline: base.isLocal, folder: path.resolve(output) }
    writeWhole(script, renderScript(options.recipe, how))
    return script
  } finally {
    folder.release()
  }
}

/**
 * Returns the recipe of a run that was started by a scheduler and has ended.
 * @throws UsageError if it has not ended
 */
export function readEndedRun(folder: string): Recipe & { data: string } {
  const recipe = readRunRecipe(folder)
  const { data } = recipe
  if (data === undefined) throw new UsageError(`${folder}/recipe.yaml has no data: it is not a prepared run`)
  if (existsSync(path.join(folder, 'model/complete'))) return { ...recipe, data }
  const steps = readMetrics(path.join(folder, 'metrics.jsonl')).at(-1)?.step ?? 0
  throw new UsageError(
    `${folder}: training has not ended, there are ${steps} steps: run ${path.join(folder, launchScript)} again, it resumes`,
  )
}

function copyTrainer(to: string): void {
  makeFolder(to)
  for (const name of readdirSync(trainerFolder).filter((file) => file.endsWith('.py')))
    copyFileSync(path.join(trainerFolder, name), path.join(to, name))
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

interface ScriptFacts {
  nodes: number
  python: string
  isOffline: boolean
  folder: string
}

function renderScript({ processes }: Recipe, { nodes, python, isOffline, folder }: ScriptFacts): string {
  return `#!/usr/bin/env bash
# Starts this machine's part of a training. Run it on ${nodes === 1 ? 'one machine' : `each of ${nodes} machines`}; it resumes after the last checkpoint.
# HEAD is the name of the first machine, PORT a free port of it, PYTHON has the trainer's packages (aft train setup).
# SLURM and SkyPilot say by themselves how many machines there are, and which is the first.
set -euo pipefail
NODES=\${NODES:-\${SLURM_NNODES:-\${SKYPILOT_NUM_NODES:-${nodes}}}}
if [ -z "\${HEAD:-}" ] && [ -n "\${SLURM_JOB_NODELIST:-}" ]; then HEAD=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1); fi
if [ -z "\${HEAD:-}" ] && [ -n "\${SKYPILOT_NODE_IPS:-}" ]; then HEAD=$(echo "$SKYPILOT_NODE_IPS" | head -n 1); fi
if [ -z "\${HEAD:-}" ] && [ "$NODES" != 1 ]; then echo "HEAD: expected the name of the first of $NODES machines" >&2; exit 2; fi
# keys of engines are not for the trainer
for name in $(compgen -e | grep -iE '(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)' | grep -viE '^(HF|HUGGING_?FACE|WANDB|COMET|MLFLOW|NEPTUNE|CLEARML|SWANLAB|TRACKIO)_' || true); do unset "$name"; done
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HF_HUB_DISABLE_TELEMETRY=1${isOffline ? ' HF_HUB_OFFLINE=1' : ''}
cd ${quote(folder)}
[ -n "\${PYTHON:-}" ] || PYTHON=${quote(python)}
exec "$PYTHON" -m torch.distributed.run --nnodes "$NODES" --nproc-per-node ${processes} \\
  --rdzv-backend c10d --rdzv-endpoint "\${HEAD:-127.0.0.1}:\${PORT:-29500}" --rdzv-id aft "$@" trainer/train.py trl.yaml request.json
`
}
