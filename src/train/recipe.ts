/** The recipe says which model is trained on which rows, and how. Knobs have the names and the meaning of TRL. */
import { z } from 'zod'

const whole = (least: number) => z.int().min(least)
const share = z.number().min(0).max(1)
const positive = z.number().positive()

/** Our own fields: the base model, the rows, and the result. */
const own = {
  base: z
    .string()
    .min(1)
    .describe(
      'Model hub name, folder, gguf:FILE, or a model of `aft models`; adapters of a trained one become weights.',
    ),
  method: z.enum(['full', 'lora']).describe('All weights, or a LoRA adapter.'),
  rows: z
    .enum(['aft', 'sft', 'both'])
    .default('aft')
    .describe('Rows with proposals, the same rows without (from `aft data build --sft-twin`), or both.'),
  objective: z
    .enum(['sft', 'grpo'])
    .default('sft')
    .describe(
      'Learn to write the targets (sft), or learn from rewards of sampled answers (grpo). Both may be LoRA or all weights.',
    ),
  reward: z
    .enum(['answer', 'lines'])
    .optional()
    .describe(
      'For grpo. answer: 1 if the final answer is the one of the target; lines: the share of its numbered lines that are right. `--reward FILE.py` names your own.',
    ),
  data: z.string().optional().describe('A folder of `aft data build`, relative to the recipe; --data wins.'),
  processes: whole(1)
    .default(1)
    .describe('Processes on this machine; torchrun starts them if there are several.'),
  too_long: z
    .enum(['refuse', 'trim', 'drop'])
    .default('refuse')
    .describe(
      'Rows longer than max_length: refuse them with an error, trim their proposals in the middle to one length, or drop and count them.',
    ),
  stop_at_loss: positive
    .optional()
    .describe('Ends the training when the held-out loss is at most this; needs eval_steps.'),
  matmul_precision: z
    .enum(['highest', 'high', 'medium'])
    .default('highest')
    .describe(
      'How exactly 32-bit matrices are multiplied (torch.set_float32_matmul_precision): medium rounds their numbers to bfloat16, faster on a CPU with AMX; high to TF32 on a GPU.',
    ),
  gguf: z
    .enum(['q8_0', 'f16', 'bf16', 'f32', 'none'])
    .default('q8_0')
    .describe('Weights of the GGUF file at the end; none writes no file. A LoRA adapter is f16.'),
  license: z.string().optional().describe('License of the base model, for the model card.'),
}

/**
 * Arguments that a recipe may not set: they name what the command names (rows, model, folder of the run), send it
 * elsewhere, or let a model bring code.
 */
const closedArguments =
  /^(output_dir|logging_dir|overwrite_output_dir|resume_from_checkpoint|model_name_or_path|model_init_kwargs|datasets?|dataset_(name|config|train_split|test_split|streaming|kwargs)|trust_remote_code|push_to_hub.*|hub_.*|trackio_.*)$/

/** Ways to compute attention. A name of the model hub would fetch code and run it. */
const attentions = ['eager', 'sdpa', 'flash_attention_2', 'flash_attention_3', 'flex_attention'] as const

const otherArguments = z.record(z.string(), z.unknown()).superRefine((given, context) => {
  for (const name of Object.keys(given)) {
    if (closedArguments.test(name.replaceAll('-', '_')))
      context.addIssue({ code: 'custom', path: [name], message: `a recipe cannot set \`${name}\`` })
  }
})

/** TRL's fields for GRPO only. */
const grpoKnobs = {
  num_generations: whole(2).optional().describe('For grpo: answers per prompt (8).'),
  max_completion_length: whole(1).optional().describe('For grpo: most tokens of an answer (256).'),
  temperature: z.number().positive().max(5).optional().describe('For grpo: of the sampled answers (1).'),
  beta: z.number().min(0).optional().describe('For grpo: weight of the distance from the base (0).'),
}

/** Fields of TRL, transformers and peft. */
const knobs = {
  ...grpoKnobs,
  seed: whole(0).default(42).describe('Order of the rows, LoRA weights, dropout.'),
  max_steps: whole(-1).default(-1).describe('Number of updates; if -1, num_train_epochs decides.'),
  num_train_epochs: positive.default(3),
  per_device_train_batch_size: whole(1).default(1).describe('Rows per forward pass and process.'),
  per_device_eval_batch_size: whole(1).default(1),
  gradient_accumulation_steps: whole(1).default(8).describe('Forward passes per update.'),
  learning_rate: positive.default(1e-5),
  lr_scheduler_type: z
    .enum([
      'constant',
      'constant_with_warmup',
      'linear',
      'cosine',
      'cosine_with_min_lr',
      'polynomial',
      'inverse_sqrt',
    ])
    .default('cosine'),
  lr_scheduler_kwargs: z.record(z.string(), z.union([z.number(), z.string()])).optional(),
  warmup_steps: z.number().min(0).default(0).describe('Number of updates, or their share if below 1.'),
  weight_decay: z.number().min(0).default(0),
  max_grad_norm: z.number().min(0).default(1),
  optim: z.string().default('adamw_torch'),
  adam_beta1: share.optional(),
  adam_beta2: share.optional(),
  max_length: whole(16).default(4096).describe('Most tokens per row; `too_long` decides about longer rows.'),
  packing: z.boolean().default(false),
  loss_type: z.enum(['nll', 'dft']).default('nll'),
  chat_template_path: z
    .string()
    .optional()
    .describe('If the base has no chat template: a .jinja file (relative to the recipe), or a hub name.'),
  eos_token: z.string().optional().describe('Token that ends a completion, if it is not the tokenizer’s.'),
  dtype: z
    .enum(['float32', 'bfloat16', 'float16', 'auto'])
    .default('float32')
    .describe('Type of the weights in training.'),
  bf16: z.boolean().default(true).describe('Mixed precision.'),
  use_cpu: z.boolean().default(false),
  gradient_checkpointing: z
    .boolean()
    .default(false)
    .describe('Takes less memory and is about a fifth slower.'),
  attn_implementation: z.enum(attentions).optional(),
  model_revision: z.string().optional(),
  lora_r: whole(1).default(16),
  lora_alpha: whole(1).default(32),
  lora_dropout: share.default(0),
  lora_target_modules: z.union([z.string(), z.array(z.string())]).default('all-linear'),
  save_steps: whole(1).default(100).describe('Updates between checkpoints.'),
  save_total_limit: whole(2)
    .default(2)
    .describe('Checkpoints to keep; at least two, since one may be half written.'),
  eval_steps: whole(1)
    .nullable()
    .default(null)
    .describe('Updates between evaluations on validation rows; null for none.'),
  fsdp: z.boolean().optional(),
  fsdp_config: z.record(z.string(), z.unknown()).optional(),
  deepspeed: z.record(z.string(), z.unknown()).optional(),
  trl: otherArguments.optional().describe('Any other argument of TRL’s SFT command.'),
}

/** A recipe: our own fields, then those of TRL, transformers and peft. */
export const recipeSchema = z.strictObject({ ...own, ...knobs }).superRefine((recipe, context) => {
  const refuse = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message })
  if (recipe.objective === 'sft')
    for (const field of ['reward', ...Object.keys(grpoKnobs)] as const)
      if (recipe[field as keyof typeof recipe] !== undefined) refuse(field, 'only for objective: grpo')
  if (recipe.stop_at_loss !== undefined && recipe.eval_steps === null)
    refuse('stop_at_loss', 'expected eval_steps too: the held-out loss is measured then')
  if (recipe.objective === 'grpo') checkGrpo(recipe, refuse)
})
interface GrpoFields {
  rows: string
  processes: number
  per_device_train_batch_size: number
  gradient_accumulation_steps: number
  num_generations?: number | undefined
  eval_steps: number | null
}

function checkGrpo(recipe: GrpoFields, refuse: (field: string, message: string) => void): void {
  const { processes, per_device_train_batch_size: rows, gradient_accumulation_steps: passes } = recipe
  const { num_generations: group = GROUP } = recipe
  const batch = processes * rows * passes
  if (batch % group !== 0)
    refuse(
      'num_generations',
      `expected a divisor of the answers per update (processes × per_device_train_batch_size × gradient_accumulation_steps = ${batch}), got ${group}`,
    )
  if (recipe.eval_steps !== null)
    refuse('eval_steps', 'expected null for objective: grpo; measure with `aft eval` afterwards')
}

/** Answers per prompt if a GRPO recipe does not say. */
export const GROUP = 8

/** A recipe with all defaults. */
export type Recipe = z.infer<typeof recipeSchema>

/** Fields that version 0.1.0 had under other names. */
export const formerFields: Record<string, string> = { licence: 'license', overflow: 'too_long' }

/** Gives the fields of a recipe of 0.1.0 their present names. */
export function withPresentNames(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [formerFields[name] ?? name, value]),
  )
}

/** Names of the fields that TRL does not know. */
export const ownFields = new Set(Object.keys(own))

/** Renders the published JSON schema, which editors read. */
export function renderRecipeSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(recipeSchema, { io: 'input' })
  const properties = { $schema: { type: 'string' }, ...(schema.properties as object) }
  return `${JSON.stringify({ $schema, title: 'Recipe of aft train', ...schema, properties }, null, 2)}\n`
}
