/** Named sets of options: `--preset NAME`, and the models that a server or the AI SDK provider offers. */
import type { OptionValues } from './options.ts'
import type { PlanOptions } from './strategies.ts'

/** What differs from the options that hold otherwise. */
export type Preset = Partial<PlanOptions>

/** The presets that are always there, for those who propose and aggregate. */
export function builtInPresets({ proposers = [], aggregators = proposers }: Preset) {
  return {
    /** What the options say: 3 x 1 unless they say otherwise. */
    aft: {},
    'aft-fast': { strategy: 'aft', width: 3, depth: 1 },
    /** As measured in the paper: 11 completions. Source: arXiv 2501.11877. */
    paper: { strategy: 'aft', width: 5, depth: 2, temperature: 0.7, topP: 0.95 },
    moa: { strategy: 'moa', width: Math.max(3, proposers.length) },
    rsa: { strategy: 'rsa' },
    single: { strategy: 'single', ...(aggregators.length > 0 && { proposers: aggregators }) },
  } satisfies Record<string, Preset>
}

/** Options in which `model` stands for every role that has no engine of its own. */
export function withModel({ model, ...options }: OptionValues & { model?: string }): Preset {
  return { ...(model !== undefined && { proposers: [model], aggregators: [model] }), ...options }
}
