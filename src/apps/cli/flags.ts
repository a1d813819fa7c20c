/** The flags that say how a prompt is answered: the same for one prompt (`ask`) and for many (`run`). */
import { readdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { enginesOf, type Plan } from '../../core/plan.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { makePlan, type PlanOptions, type StrategyName, strategies } from '../../core/strategies.ts'
import { defaultTemplate, type Template } from '../../core/templates.ts'
import type { Config } from '../../engines/config.ts'
import type { OpenOptions } from '../../engines/open.ts'

/** What `addAnswerFlags` adds to a command's options; a flag that was not given is absent. */
export interface AnswerFlags {
  model?: string
  proposers?: string[]
  aggregator?: string[]
  judge?: string
  strategy?: StrategyName
  width?: number
  depth?: number
  sample?: number
  steps?: number
  maxTokens?: number
  temperature?: number
  topP?: number
  seed?: number
  system?: string
  template?: string
  order?: Plan['order']
  overflow?: Plan['overflow']
  stopAtAgreement?: number
  quorum?: number
  graceMs?: number
  capMs?: number
  threads?: number
  lora?: string
  raw?: boolean
  apiKeyEnv?: string
  retries?: number
  concurrency?: number
  config?: string
}

/** Flags and config, read: what to do (`plan`), with which wording, and how the plan's engines are opened. */
export interface AnswerSetup {
  plan: Plan
  /** What the plan was made of. */
  options: PlanOptions
  template: Template
  engineFlags: OpenOptions
  config: Config
}

const MODEL_HELP =
  'engine for every role: smollm2 (the default), gguf:FILE, hf:USER/REPO:QUANT, openai:MODEL, URL#MODEL, or a name ' +
  'from the config'

/** Adds the shared flags to a command, in groups, `without` some of them. */
export function addAnswerFlags(command: Command, without: (keyof AnswerFlags)[] = []): Command {
  const group = (heading: string, options: Option[]) => {
    for (const option of options) {
      const isWanted = !without.includes(option.attributeName() as keyof AnswerFlags)
      if (isWanted) command.addOption(option.helpGroup(heading))
    }
  }
  group('Models:', [
    new Option('-m, --model <name>', MODEL_HELP),
    new Option('--proposers <names>', 'engines that propose, separated by commas').argParser(readNames),
    new Option('--aggregator <names>', 'engine that aggregates, then its fallbacks').argParser(readNames),
    new Option('--judge <name>', 'engine that picks, for best-of-n'),
    new Option('--config <file>', 'names and defaults (default: aft.config.ts, where there is one)'),
  ])
  group('Plan:', [
    new Option('--strategy <name>', 'how the layers are built (default: aft)').choices(
      Object.keys(strategies),
    ),
    whole('--width <n>', 'proposals a layer (default: 5)', 1),
    whole('--depth <n>', 'aggregation layers (default: 2)', 0),
    whole('--sample <k>', 'proposals that each member sees, for rsa (default: 3)', 1),
    whole('--steps <n>', 'rounds, for rsa (default: 3)', 1),
    new Option('--system <text>', 'system prompt'),
    new Option('--template <file>', 'wording of the roles, a JSON file'),
    new Option('--order <order>', 'how proposals are shown').choices(['as-sampled', 'shuffled']),
    new Option('--overflow <what>', 'for proposals that do not fit the context').choices(['trim', 'refuse']),
    within('--stop-at-agreement <share>', 'answer at once when proposals agree this much, 0 to 1', 0, 1),
  ])
  group('Sampling:', [
    whole('--max-tokens <n>', 'most tokens of each completion (default: 1024)', 1),
    within('--temperature <t>', '0 to 5 (default: 0.7)', 0, 5),
    within('--top-p <p>', '0 to 1, of all layers but the last (default: 0.95)', 0, 1),
    whole('--seed <n>', 'from 0: same seed, same samples', 0),
  ])
  group('Stragglers:', [
    whole('--quorum <n>', 'completions of a layer that are enough to go on', 1),
    whole('--grace-ms <ms>', 'how long the others may still take (default: 5000)', 0),
    whole('--cap-ms <ms>', 'most time of a layer', 1),
  ])
  group('Engines:', [
    whole('--threads <n>', 'CPU threads of an embedded model', 1),
    new Option('--lora <file>', 'GGUF adapter for an embedded model'),
    new Option('--raw', 'continue raw text: for base models without a chat template'),
    new Option('--api-key-env <name>', 'environment variable that holds the key'),
    whole('--retries <n>', 'attempts in all where a failure may pass (default: 10)', 1),
    whole('--concurrency <n>', 'completions in flight for each endpoint (default: 8)', 1),
  ])
  return command
}

/**
 * Reads the shared flags, over the defaults of the config: everything is checked before any engine is opened.
 * @param seed the plan's where neither flags nor config give one
 * @throws UsageError for a wrong flag or config, DataError for a wrong template file
 */
export async function readAnswerFlags(given: AnswerFlags, seed = 0): Promise<AnswerSetup> {
  const config = await findConfig(given.config)
  const flags = withDefaults(given, config.defaults ?? {})
  checkStrategy(given, flags)
  const template = flags.template
    ? await (await import('../../files/template-file.ts')).readTemplate(flags.template)
    : defaultTemplate
  const { threads, lora, raw, apiKeyEnv, retries, concurrency } = flags
  const options: PlanOptions = { seed, ...planOptions(flags), template: template.id }
  const plan = makePlan(options)
  if (enginesOf(plan).some(isFolder)) {
    await (await import('./trained-model.ts')).warnOfTemplates(plan, template)
  }
  return {
    plan,
    options,
    template,
    engineFlags: { threads, lora, raw, apiKeyEnv, retries, concurrency, config },
    config,
  }
}

/** A trained model is named by its folder. */
function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** The config's module is loaded only where there is a config: most calls have none. */
async function findConfig(file: string | undefined): Promise<Config> {
  if (file === undefined && !listFolder().some((name) => name.startsWith('aft.config.'))) return {}
  const { loadConfig, readConfig } = await import('../../engines/config.ts')
  return file === undefined ? ((await loadConfig(process.cwd())) ?? {}) : readConfig(file)
}

/** A folder that cannot be read has no config. */
function listFolder(): string[] {
  try {
    return readdirSync('.')
  } catch {
    return []
  }
}

/** Flags win. A model given by flag is meant for every role, whatever the config says of single ones. */
function withDefaults(flags: AnswerFlags, defaults: NonNullable<Config['defaults']>): AnswerFlags {
  const { proposers, aggregator, judge, template, strategy, ...others } = defaults
  const folder = flags.config ? dirname(flags.config) : '.'
  return {
    ...others,
    ...(strategy !== undefined && { strategy: strategy as StrategyName }),
    ...(template !== undefined && { template: resolve(folder, template) }),
    ...(flags.model === undefined && { proposers, aggregator, judge }),
    ...flags,
  }
}

const DEFAULT_MODEL = 'smollm2'
const DEFAULT_GRACE_MS = 5_000
const DEFAULT_WIDTH = 5

function planOptions(flags: AnswerFlags): PlanOptions {
  const { strategy, width, depth, sample, steps, judge } = flags
  const { temperature, topP, maxTokens, order, overflow, stopAtAgreement } = flags
  const model = flags.model ?? DEFAULT_MODEL
  return {
    proposers: flags.proposers ?? [model],
    aggregators: flags.aggregator ?? (flags.model ? [flags.model] : undefined),
    strategy,
    width,
    depth,
    sample,
    steps,
    judge,
    temperature,
    topP,
    maxTokens,
    order,
    overflow,
    stopAtAgreement,
    ...(flags.seed !== undefined && { seed: flags.seed }),
    quorum: readQuorum(flags),
  }
}

/** With a cap alone, no number of completions is enough before it. */
function readQuorum(flags: AnswerFlags): PlanOptions['quorum'] {
  const { quorum, graceMs, capMs } = flags
  if (graceMs !== undefined && quorum === undefined) throw new UsageError('--grace-ms needs --quorum')
  const most = (flags.proposers?.length ?? 1) * (flags.width ?? DEFAULT_WIDTH)
  if (quorum !== undefined && quorum > most) {
    throw new UsageError(`--quorum ${quorum}: a layer has ${most} completions at most`)
  }
  if (quorum === undefined && capMs === undefined) return undefined
  return { count: quorum ?? Number.MAX_SAFE_INTEGER, graceMs: graceMs ?? DEFAULT_GRACE_MS, capMs }
}

/** A flag that only some strategies read. */
const strategiesOf: Partial<Record<keyof AnswerFlags, StrategyName[]>> = {
  width: ['aft', 'moa', 'rsa', 'self-consistency', 'best-of-n'],
  depth: ['aft', 'moa'],
  sample: ['rsa'],
  steps: ['rsa'],
  judge: ['best-of-n'],
  aggregator: ['aft', 'moa', 'best-of-n'],
}

/** A flag that would be passed over in silence is an error. */
function checkStrategy(given: AnswerFlags, { strategy = 'aft', proposers = [], width }: AnswerFlags): void {
  for (const [flag, readers] of Object.entries(strategiesOf)) {
    if (given[flag as keyof AnswerFlags] === undefined || readers.includes(strategy)) continue
    throw new UsageError(`--${flag} is for --strategy ${readers.join(', ')}, not for ${strategy}`)
  }
  if (strategy === 'moa' && width === undefined && proposers.length < 2) {
    throw new UsageError('--strategy moa mixes several models: name them with --proposers A,B')
  }
}

function whole(flag: string, about: string, least: number): Option {
  return new Option(flag, about).argParser((text: string) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`Expected a whole number from ${least}.`)
  })
}

function within(flag: string, about: string, least: number, most: number): Option {
  return new Option(flag, about).argParser((text: string) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`)
  })
}

function readNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every(Boolean)) return names
  throw new InvalidArgumentError('Expected names separated by commas.')
}
