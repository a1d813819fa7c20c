/** The shapes of `result.json`, by task. A file may have more fields. */
import { z } from 'zod'

/** Names of version 0.1.0 and their names now. */
const EARLIER_NAMES = { prompt_tokens: 'input_tokens', generated_tokens: 'output_tokens' }

/** Renames the fields of a row that version 0.1.0 wrote. */
export function renameEarlier<Row>(row: Row): Row {
  if (typeof row !== 'object' || row === null) return row
  const names = new Map(Object.entries(EARLIER_NAMES))
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [names.get(name) ?? name, value]),
  ) as Row
}

const interval = z.looseObject({ low: z.number(), high: z.number() })
const score = z.looseObject({ mean: z.number(), interval })
const test = z.looseObject({ difference: z.number(), p: z.number(), interval }).nullable()
const template = z.looseObject({ id: z.string(), sha256: z.string() })
/** A machine that a bench described by its parts. */
function describeMachine(parts: Record<string, unknown>): string {
  return Object.entries(parts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

/** How a result was made; older ones lack the machine. */
const origin = {
  settings: z.record(z.string(), z.unknown()),
  command: z.string(),
  version: z.string(),
  date: z.string(),
  node: z.string().optional(),
  machine: z.union([z.string(), z.record(z.string(), z.unknown()).transform(describeMachine)]).optional(),
  left_out: z.record(z.string(), z.number()).optional(),
}
const row = z.preprocess(
  renameEarlier,
  z.looseObject({
    control: z.string(),
    title: z.string(),
    n: z.number(),
    scores: z.record(z.string(), score),
    calls: z.number(),
    input_tokens: z.number(),
    prefilled_tokens: z.number().nullable(),
    output_tokens: z.number(),
    seconds: z.number(),
    cost: z.number().nullable(),
    mean_length_chars: z.number(),
    against_single: test,
    /** Absent in results of earlier versions. */
    p_corrected: z.number().nullish(),
  }),
)
const changes = z.looseObject({
  control: z.string(),
  rescued: z.number(),
  broke: z.number(),
  kept: z.number(),
  lost: z.number(),
  all_right: z.number(),
  all_wrong: z.number(),
  copy_rate: z.number(),
  position: z.array(z.number()),
})
/** A task with controls, or a point of a grid. */
export const resultShape = z.looseObject({
  task: z.string(),
  metrics: z.array(z.string()).min(1),
  n: z.number(),
  asked: z.number(),
  model: z.string(),
  ...origin,
  template,
  rows: z.array(row).min(1),
  changes: z.array(changes),
  agreement: z.number(),
  judge_position: z.array(z.number()).nullable(),
})
const rating = z.looseObject({ mean: z.number(), interval, n: z.number() }).nullable()
/** MT-Bench: ratings by turn and category. */
export const mtBenchShape = z.looseObject({
  task: z.literal('mt-bench'),
  n: z.number(),
  asked: z.number(),
  model: z.string(),
  judge: z.string(),
  ...origin,
  template,
  turn_1: rating,
  turn_2: rating,
  both: rating,
  categories: z.array(
    z.looseObject({
      category: z.string(),
      turn_1: z.number().nullable(),
      turn_2: z.number().nullable(),
      both: z.number().nullable(),
    }),
  ),
  unreadable: z.array(z.unknown()),
  asked_again: z.number().optional(),
})
/** A line of `questions.jsonl`. */
export const questionShape = z.looseObject({
  id: z.string(),
  question: z.string().optional(),
  seed: z.number().optional(),
  prompt: z.string(),
  proposals: z.array(z.looseObject({ text: z.string(), score: z.number() })),
  answers: z.array(
    z.looseObject({
      control: z.string(),
      text: z.string(),
      scores: z.record(z.string(), z.number()),
      copied: z.looseObject({ share: z.number(), nearest: z.number().optional() }).optional(),
    }),
  ),
})

/** Perplexities of targets by what is shown before them. */
export const perplexityShape = z.looseObject({
  task: z.literal('perplexity'),
  model: z.string(),
  file: z.string(),
  n: z.number(),
  asked: z.number(),
  tokens: z.number(),
  conditions: z
    .array(
      z.looseObject({
        condition: z.string(),
        perplexity: z.number(),
        difference: z.number().nullable(),
        interval: interval.nullable(),
        lower: z.number().nullable(),
      }),
    )
    .min(1),
  ...origin,
  template,
})

const figure = z.looseObject({ mean: z.number(), interval: interval.nullable(), runs: z.number() })
const figures = z.record(z.string(), figure.nullable())
const heldOut = { step: z.number(), tokens: z.number().nullable() }
/** Training runs side by side. */
export const convergenceShape = z.looseObject({
  task: z.literal('convergence'),
  n: z.number(),
  groups: z
    .array(
      z.looseObject({
        group: z.string(),
        runs: z.array(
          z.looseObject({
            run: z.string(),
            steps: z.number(),
            tokens: z.number().nullable(),
            figures: z.record(z.string(), z.number().nullable()),
            held_out: z.array(z.looseObject({ ...heldOut, loss: z.number(), share: z.number().nullable() })),
          }),
        ),
        figures,
        held_out: z.array(z.looseObject({ ...heldOut, loss: figure, share: figure.nullable() })),
      }),
    )
    .min(1),
  differences: z.array(z.looseObject({ group: z.string(), beside: z.string(), figures })),
  ...origin,
})

/** Win rates against a baseline. */
export const alpacaEvalShape = z.looseObject({
  task: z.literal('alpaca-eval'),
  model: z.string(),
  baseline: z.string(),
  n: z.number(),
  asked: z.number(),
  win_rate: z.number(),
  standard_error: z.number(),
  lc_win_rate: z.number(),
  lc_standard_error: z.number(),
  mean_length_chars: z.number(),
  baseline_mean_length_chars: z.number(),
  variant: z.string(),
  annotators: z.array(z.string()),
  judge: z.looseObject({ engine: z.string() }).nullable(),
  ...origin,
  template: template.nullable(),
})
