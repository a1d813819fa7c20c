/**
 * Every option of a plan, once. Flags, config, presets, the field `aft` of a request, their limits, error texts and
 * help are made from this table.
 */

import { UsageError } from '../core/provider/errors.ts'
import { findClosest } from '../lib/closest.ts'
import {
  choice,
  countedEngines,
  engine,
  engines,
  milliseconds,
  number,
  type OptionKind,
  panel,
  type Role,
  refuseKey,
  roleKinds,
  schema,
  type ValueOf,
  whole,
} from './option-kinds.ts'
import { findProblem } from './option-problems.ts'
import { namesIn } from './roles.ts'

/** One row of the table. */
export interface OptionSpec {
  kind: OptionKind
  /** The heading in help and docs. */
  group: 'Models' | 'Plan' | 'Sampling' | 'Slow completions' | 'Engines'
  help: string
  default?: string | number
  /** The default in words, if it depends on other options. */
  defaultText?: string
  /** The strategies that read it; absent: all of them. */
  strategies?: readonly StrategyName[]
  /** The server's limit that applies to it. */
  limit?: 'width' | 'depth' | 'maxTokens'
  /** An earlier name, which is an error now. */
  formerly?: string
  /** Where it means something, if not everywhere. A request says its schema in the field that its API has for it. */
  only?: 'loops of requests' | 'single prompts'
}

/** Options by their names. */
export type OptionTable = Readonly<Record<string, OptionSpec>>

/** The names of `strategies`. */
export const strategyNames = ['aft', 'moa', 'rsa', 'self-consistency', 'best-of-n', 'single'] as const
/** One of `strategyNames`. */
export type StrategyName = (typeof strategyNames)[number]

/** The table. Names are those of the API, of config files and of `aft`; a flag is the same name in kebab-case. */
export const planOptions = {
  proposers: {
    group: 'Models',
    kind: countedEngines,
    help: 'engines that propose, separated by commas',
    defaultText: 'the model',
  },
  aggregators: {
    group: 'Models',
    kind: engines,
    help: 'engine that aggregates, then those to ask if it fails, separated by commas',
    defaultText: 'the first proposer',
    strategies: ['aft', 'moa', 'best-of-n'],
    formerly: 'aggregator',
  },
  judge: {
    group: 'Models',
    kind: engine,
    help: 'engine that picks the answer',
    defaultText: 'the first aggregator',
    strategies: ['best-of-n'],
  },
  strategy: {
    group: 'Plan',
    kind: choice(strategyNames),
    help: 'how layers are built and the answer is chosen',
    default: 'aft',
  },
  width: {
    group: 'Plan',
    kind: whole(1),
    help: 'proposals per layer',
    default: 3,
    defaultText: '3; for moa one per proposer',
    strategies: ['aft', 'moa', 'rsa', 'self-consistency', 'best-of-n'],
    limit: 'width',
  },
  depth: {
    group: 'Plan',
    kind: whole(0),
    help: 'layers that aggregate, the last included; 0 asks the model once, without proposals',
    default: 1,
    strategies: ['aft', 'moa'],
    limit: 'depth',
  },
  sample: {
    group: 'Plan',
    kind: whole(1),
    help: 'proposals that each completion sees, at most the width',
    default: 3,
    strategies: ['rsa'],
    limit: 'width',
  },
  steps: {
    group: 'Plan',
    kind: whole(1),
    help: 'layers, the first included',
    default: 3,
    strategies: ['rsa'],
    limit: 'depth',
  },
  order: {
    group: 'Plan',
    kind: choice(['as-sampled', 'reversed', 'shuffled']),
    help: 'order in which proposals are shown',
    default: 'as-sampled',
  },
  overflow: {
    group: 'Plan',
    kind: choice(['trim', 'refuse']),
    help: 'if proposals do not fit the context: shorten them, or fail',
    default: 'trim',
  },
  panel: {
    group: 'Plan',
    kind: panel,
    help: 'when the proposers run if tools are called: turn (once for each turn of the user), step, or every:N steps',
    default: 'turn',
    strategies: ['aft', 'moa', 'rsa'],
    only: 'loops of requests',
  },
  schema: {
    group: 'Plan',
    kind: schema,
    help: 'file with the JSON schema that the answer must follow',
    defaultText: 'none',
    only: 'single prompts',
  },
  stopAtAgreement: {
    group: 'Plan',
    kind: number(0, 1),
    help: 'skip to the answer if the proposals agree this much; 1 is the same words',
    defaultText: 'never',
  },
  maxTokens: {
    group: 'Sampling',
    kind: roleKinds.maxTokens,
    help: 'most tokens of each completion',
    defaultText: "the model's; in this process 1024; for models of `aft models` 96",
    limit: 'maxTokens',
  },
  judgeMaxTokens: {
    group: 'Sampling',
    kind: whole(1),
    help: 'most tokens of a judgment; the first number in it is the choice',
    defaultText: "the model's",
    strategies: ['best-of-n'],
    limit: 'maxTokens',
  },
  temperature: {
    group: 'Sampling',
    kind: roleKinds.temperature,
    help: 'how much samples vary; 0 always takes the likeliest token',
    defaultText: "the model's",
  },
  topP: {
    group: 'Sampling',
    kind: roleKinds.topP,
    help: 'sample from the likeliest tokens that make up this share of the probability; the last layer uses 1',
    defaultText: "the model's",
  },
  topK: {
    group: 'Sampling',
    kind: roleKinds.topK,
    help: 'sample from this many of the likeliest tokens',
    defaultText: "the engine's",
  },
  minP: {
    group: 'Sampling',
    kind: roleKinds.minP,
    help: 'drop tokens less probable than this share of the likeliest one',
    defaultText: "the engine's",
  },
  reasoning: {
    group: 'Sampling',
    kind: roleKinds.reasoning,
    help: 'how much models think before they write',
    defaultText: "the model's",
  },
  strict: {
    group: 'Sampling',
    kind: { type: 'switch' },
    help: 'a setting that a model refuses is an error, not a warning',
    defaultText: 'off',
  },
  seed: {
    group: 'Sampling',
    kind: whole(0),
    help: 'same seed, same samples',
    default: 0,
    defaultText: '0; for aft ask a random one',
  },
  quorum: {
    group: 'Slow completions',
    kind: whole(1),
    help: 'completions of a layer that are enough to continue',
    defaultText: 'all',
  },
  graceMs: {
    group: 'Slow completions',
    kind: milliseconds(0),
    help: 'after the quorum, wait this long for the others',
    default: 5_000,
  },
  capMs: {
    group: 'Slow completions',
    kind: milliseconds(1),
    help: 'stop waiting for a layer after this long',
    defaultText: 'never',
  },
} as const satisfies OptionTable

/** The name of an option in the table. */
export type OptionName = keyof typeof planOptions

/** The values that the options of a table take. */
export type ValuesOf<Table extends OptionTable> = {
  -readonly [Name in keyof Table]?: ValueOf<Table[Name]['kind']>
}

/** Values of options, by the names in the table. */
export type OptionValues = ValuesOf<typeof planOptions>

/**
 * Checks values against the table. An undefined value counts as absent.
 * @throws UsageError whose `param` is the option's name
 */
export function checkOptions(values: object, table: OptionTable = planOptions): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    const spec = Object.hasOwn(table, name) ? table[name] : undefined
    if (!spec) throw unknownOption(name, table)
    const problem = findProblem(spec.kind, value)
    if (!problem) {
      if (/^engine/.test(spec.kind.type)) namesIn([value].flat() as (string | Role)[]).forEach(refuseKey)
      continue
    }
    const place = problem.path.reduce<string>(
      (path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}.${key}`),
      name,
    )
    // What stands in the place of a variable's name may be a key.
    const got =
      spec.kind.type === 'variable' ? '' : `, got ${JSON.stringify(problem.got) ?? String(problem.got)}`
    const message = `expected \`${place}\` to be ${problem.expected}${got}`
    throw new UsageError(message, { param: name, code: 'invalid-value' })
  }
}

function unknownOption(name: string, table: OptionTable): UsageError {
  const renamed = Object.keys(table).find((known) => table[known]?.formerly === name)
  const near = renamed ?? findClosest(name, Object.keys(table))
  const hint = renamed ? `: use \`${renamed}\`` : near ? `; did you mean \`${near}\`?` : ''
  return new UsageError(`there is no option \`${name}\`${hint}`, { param: name, code: 'unknown-option' })
}
