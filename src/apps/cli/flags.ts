/** The flags that decide how a prompt is answered. `ask`, `run` and other commands share them. */
import { dirname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { countMembers, enginesOf, type Plan } from '../../core/plan.ts'
import type { ResponseFormat } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import type { Template } from '../../core/provider/template.ts'
import type { Config, PresetConfig } from '../../engines/config.ts'
import { readDefaultTokens } from '../../engines/default-tokens.ts'
import { pickSettings } from '../../engines/engine-options.ts'
import type { OpenOptions } from '../../engines/open.ts'
import { folderOf, readTrainedOptions, readTrainedTemplates } from '../../engines/trained-template.ts'
import { readTemplate } from '../../files/template-file.ts'
import { type OptionName, type OptionTable, type OptionValues, planOptions } from '../../plans/options.ts'
import { builtInPresets, withModel } from '../../plans/presets.ts'
import { joinLevels } from '../../plans/roles.ts'
import { makePlan, type PlanOptions } from '../../plans/strategies.ts'
import { templateOf, templateOptions, type Wordings } from '../../plans/wording.ts'
import { findConfig } from './find-config.ts'
import { flagName, optionFlags } from './plan-flags.ts'
import { addEngineFlags, addSharedFlags, type EngineFlags, type SharedFlag } from './shared-flags.ts'

/** The flags of `addAnswerFlags`. A flag that was not given is absent. */
export interface AnswerFlags extends OptionValues, EngineFlags {
  model?: string
  preset?: string
  system?: string
  template?: string
}

/** The result of reading flags and config: the plan, its template, and how to open its engines. */
export interface AnswerSetup {
  plan: Plan
  /** The options that the plan was made from. */
  options: PlanOptions
  /** The template of the plan. */
  template: Template
  /** The form of the answers, if a schema is given. */
  responseFormat?: ResponseFormat
  /** The same if --template or the config names it; otherwise each plan may have another. */
  given?: Template
  engineFlags: OpenOptions
  config: Config
}

const MODEL_HELP =
  'engine that proposes, aggregates and judges: a name of `aft models` or of the config, gguf:FILE, ' +
  'hf:USER/REPO:QUANT, ollama:MODEL, openai:MODEL, URL#MODEL, or a folder of `aft train`'

const DEFAULT_MODEL = 'smollm2'

const SHARED: SharedFlag[] = ['config', 'template']

/** Adds the flags of a plan and its engines to a command, except those in `without`. */
export function addAnswerFlags(
  command: Command,
  without: (keyof AnswerFlags)[] = [],
  table: OptionTable = planOptions,
): Command {
  const isWanted = (name: string) => !without.includes(name as keyof AnswerFlags)
  const options = [
    new Option('-m, --model <name>', MODEL_HELP).default(undefined, DEFAULT_MODEL),
    new Option(
      '--preset <name>',
      'a named set of options: paper (width 5, depth 2), aft-fast, moa, rsa, single, or one of the config',
    ),
    new Option('--system <text>', 'system prompt, put before the conversation'),
    ...optionFlags(table),
  ].filter((option) => isWanted(option.attributeName()))
  for (const option of options) command.addOption(option)
  return addEngineFlags(addSharedFlags(command, SHARED.filter(isWanted)))
}

/**
 * Reads these flags together with preset and config. Everything is checked before an engine is opened.
 * @param seed the plan's seed if neither flags nor config give one
 * @throws UsageError for a wrong flag or config, DataError for a wrong template file
 */
export async function readAnswerFlags(given: AnswerFlags, seed = 0): Promise<AnswerSetup> {
  const config = await findConfig(given.config)
  const flags = await withDefaults(given, config)
  checkStrategy(given, flags)
  const open: PlanOptions = {
    seed,
    ...readPlanOptions(flags),
    template: findPreset(flags.preset, config).template,
    engineMaxTokens: readDefaultTokens(config),
  }
  const wordings = await readWordings(flags, enginesOf(makePlan(open)), config)
  const options = { ...open, ...templateOptions(wordings) }
  const plan = makePlan(options)
  checkQuorum(given, plan)
  const template = templateOf(plan, wordings)
  if (enginesOf(plan).some(folderOf)) {
    await (await import('./trained-model.ts')).warnOfTemplates(plan, template)
  }
  const engineFlags = { ...pickSettings(flags), config }
  const responseFormat = await readFormat(flags.schema)
  return { plan, options, template, given: wordings.given, responseFormat, engineFlags, config }
}

async function readFormat(schema: OptionValues['schema']): Promise<ResponseFormat | undefined> {
  if (schema === undefined) return undefined
  return (await import('../../files/schema-file.ts')).readFormat(schema)
}

/** The template that --template or the config names, or those that the models were trained with. */
async function readWordings(
  { template, config: file }: AnswerFlags,
  names: string[],
  config: Config,
): Promise<Wordings> {
  const { template: ofConfig } = config.defaults ?? {}
  const folder = file === undefined ? '.' : dirname(file)
  const source = template ?? ofConfig
  if (source !== undefined) {
    return { given: await readTemplate(source, template === undefined ? folder : '.'), trained: {} }
  }
  return { trained: await readTrainedTemplates(names, config, folder) }
}

/**
 * Merges flags, preset, config and the card of a trained model. Flags win; a preset given by flag wins over the config.
 * --model is for every role, except that a model may name its proposer.
 */
async function withDefaults(flags: AnswerFlags, config: Config): Promise<AnswerFlags> {
  const { preset, template, ...defaults } = config.defaults ?? {}
  const folder = flags.config ? dirname(flags.config) : '.'
  const { template: _, ...named } = findPreset(flags.preset ?? preset, config)
  const under = flags.preset === undefined ? joinLevels(named, defaults) : joinLevels(defaults, named)
  const { model, proposers, aggregators, judge, ...others } = under
  const files = {
    ...(preset !== undefined && { preset }),
    ...(typeof under.schema === 'string' && { schema: resolve(folder, under.schema) }),
  }
  const card = await readTrainedOptions(flags.model ?? model ?? DEFAULT_MODEL)
  return joinLevels<AnswerFlags>(card, flags.model === undefined ? under : others, files, flags)
}

/** Finds a preset. Only built-in ones name a template. */
function findPreset(
  name: string | undefined,
  { presets = {}, defaults: { template, ...defaults } = {} }: Config,
): PresetConfig & { template?: string } {
  if (name === undefined) return {}
  const known: Record<string, PresetConfig> = { ...builtInPresets(withModel(defaults)), ...presets }
  if (Object.hasOwn(known, name)) return known[name] as PresetConfig
  throw new UsageError(`there is no preset "${name}"; there are: ${Object.keys(known).join(', ')}`, {
    param: 'preset',
    code: 'unknown-preset',
  })
}

function readPlanOptions(flags: AnswerFlags): PlanOptions {
  const given = Object.entries(flags).filter(([name]) => Object.hasOwn(planOptions, name))
  const { model = DEFAULT_MODEL } = flags
  return {
    proposers: [model],
    ...(flags.model !== undefined && { aggregators: [flags.model] }),
    ...(Object.fromEntries(given) as OptionValues),
  }
}

/** Rejects a flag that would have no effect with this strategy. */
function checkStrategy(given: AnswerFlags, { strategy = 'aft', proposers = [], width }: AnswerFlags): void {
  for (const [name, { strategies }] of Object.entries(planOptions as OptionTable)) {
    if (given[name as OptionName] === undefined || !strategies || strategies.includes(strategy)) continue
    throw new UsageError(`${flagName(name)} is for --strategy ${strategies.join(', ')}, not for ${strategy}`)
  }
  if (strategy === 'moa' && width === undefined && proposers.length < 2) {
    throw new UsageError('--strategy moa mixes several models: name them with --proposers A,B')
  }
}

function checkQuorum({ quorum }: AnswerFlags, { layers }: Plan): void {
  const most = Math.max(...layers.map(countMembers))
  if (quorum === undefined || quorum <= most) return
  throw new UsageError(`--quorum ${quorum}: expected at most ${most}, the completions of the widest layer`)
}
