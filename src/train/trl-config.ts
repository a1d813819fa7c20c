/** The configuration of TRL: the YAML that its own `trl sft --config` reads too. */
import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { ownFields, type Recipe } from './recipe.ts'

/** Where a run's model, rows and results are. */
export interface RunPlaces {
  /** Hub name or folder. */
  model: string
  data: string
  output: string
}

/** TRL's arguments for a recipe. */
export function toTrlArguments(recipe: Recipe, { model, data, output }: RunPlaces): Record<string, unknown> {
  const { eval_steps, lora_r, lora_alpha, lora_dropout, lora_target_modules, trl, ...rest } = recipe
  const knobs = Object.fromEntries(
    Object.entries(rest).filter(([key, value]) => !ownFields.has(key) && value !== undefined),
  )
  const lora = { use_peft: true, lora_r, lora_alpha, lora_dropout, lora_target_modules }
  return {
    model_name_or_path: model,
    dataset_name: data,
    dataset_test_split: 'validation',
    output_dir: output,
    completion_only_loss: true,
    ...knobs,
    bf16: recipe.bf16 && (!recipe.use_cpu || hasFastBf16()),
    ...(recipe.method === 'lora' && lora),
    logging_steps: 1,
    logging_first_step: true,
    save_strategy: 'steps',
    eval_strategy: eval_steps === null ? 'no' : 'steps',
    ...(eval_steps !== null && { eval_steps }),
    report_to: 'none',
    disable_tqdm: true,
    ...trl,
  }
}

/** As YAML 1.1, which Python reads: a bare `no` would be false there. */
export function renderTrlConfig(recipe: Recipe, places: RunPlaces): string {
  return stringify(toTrlArguments(recipe, places), { version: '1.1' })
}

/** On a CPU without it, bfloat16 is slower than 32-bit floats. */
export function hasFastBf16(cpuFile = '/proc/cpuinfo'): boolean {
  try {
    return /\b(avx512_bf16|amx_bf16|bf16)\b/.test(readFileSync(cpuFile, 'utf8'))
  } catch {
    return false
  }
}
