/** Writes the configuration of TRL, in the YAML that its own `trl sft --config` reads too. */
import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { GROUP, ownFields, type Recipe } from './recipe.ts'

/** The places of a run's model, rows and results. */
export interface RunPlaces {
  /** Hub name or folder. */
  model: string
  data: string
  output: string
}

/** Turns a recipe into TRL's arguments. */
export function toTrlArguments(recipe: Recipe, { model, data, output }: RunPlaces): Record<string, unknown> {
  const { eval_steps, lora_r, lora_alpha, lora_dropout, lora_target_modules, trl, ...rest } = recipe
  const isGrpo = recipe.objective === 'grpo'
  const knobs = Object.fromEntries(
    Object.entries(rest).filter(
      ([key, value]) => !ownFields.has(key) && value !== undefined && !(isGrpo && onlySft.has(key)),
    ),
  )
  const lora = { use_peft: true, lora_r, lora_alpha, lora_dropout, lora_target_modules }
  return {
    model_name_or_path: model,
    dataset_name: data,
    dataset_test_split: 'validation',
    output_dir: output,
    ...(isGrpo ? { num_generations: GROUP, max_completion_length: 256 } : { completion_only_loss: true }),
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

/** Arguments that TRL has for SFT only, or that mean something else for GRPO. The checks of the rows use them in both. */
const onlySft = new Set(['max_length', 'packing', 'loss_type', 'chat_template_path', 'eos_token'])

/** Writes the arguments as YAML 1.1 for Python, with quotes around texts such as `no`, which would mean false. */
export function renderTrlConfig(recipe: Recipe, places: RunPlaces): string {
  return stringify(toTrlArguments(recipe, places), { version: '1.1' })
}

/** Says whether the CPU has instructions for bfloat16. Without them it is slower than 32-bit floats. */
export function hasFastBf16(cpuFile = '/proc/cpuinfo'): boolean {
  try {
    return /\b(avx512_bf16|amx_bf16|bf16)\b/.test(readFileSync(cpuFile, 'utf8'))
  } catch {
    return false
  }
}
