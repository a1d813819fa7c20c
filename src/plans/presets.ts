/** Named sets of options: `--preset NAME`, and the models that a server or the AI SDK provider offers. */

import type { OptionValues } from './options.ts'
import { hasCounts, joinRoles } from './roles.ts'
import type { PlanOptions } from './strategies.ts'
import { paperTemplate } from './wordings.ts'

/** The options that a preset sets. All others keep the values that the caller has. */
export type Preset = Partial<PlanOptions>

/**
 * How the paper samples, and its structure. Data and evaluations use them unless they are told otherwise, to stay
 * comparable.
 */
export const paperSettings = { temperature: 0.7, topP: 0.95, template: paperTemplate.id } as const

/** The built-in presets, for the engines that propose and aggregate. */
export function builtInPresets({ proposers = [], aggregators = proposers.slice(0, 1), template }: Preset) {
  return {
    /** Sets nothing: 3 x 1 if the options do not say otherwise. */
    aft: {},
    'aft-fast': { strategy: 'aft', width: 3, depth: 1 },
    /** As in the paper: 11 completions, and its structure unless a template is given. Source: arXiv 2501.11877. */
    paper: {
      strategy: 'aft',
      width: 5,
      depth: 2,
      ...paperSettings,
      ...(template !== undefined && { template }),
    },
    moa: { strategy: 'moa', ...(!hasCounts(proposers) && { width: Math.max(3, proposers.length) }) },
    rsa: { strategy: 'rsa' },
    single: { strategy: 'single', ...(aggregators.length > 0 && { proposers: [joinRoles(aggregators)] }) },
  } satisfies Record<string, Preset>
}

/** Options in which `model` is the engine of every role that names none. */
export function withModel({ model, ...options }: OptionValues & { model?: string }): Preset {
  return { ...(model !== undefined && { proposers: [model], aggregators: [model] }), ...options }
}
