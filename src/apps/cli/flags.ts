/** The flags that decide how a prompt is answered. `ask`, `run` and other commands share them. */
import { readdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { countMembers, enginesOf, type Plan } from '../../core/plan.ts'
import type { ResponseFormat } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import type { Template } from '../../core/templates.ts'
import type { Config, PresetConfig } from '../../engines/config.ts'
import { readDefaultTokens } from '../../engines/default-tokens.ts'
import { pickSettings } from '../../engines/engine-options.ts'
import type { OpenOptions } from '../../engines/open.ts'
import { type OptionName, type OptionTable, type OptionValues, planOptions } from '../../plans/options.ts'
import { builtInPresets, withModel } from '../../plans/presets.ts'
import { joinLevels } from '../../plans/roles.ts'
import { makePlan, type PlanOptions } from '../../plans/strategies.ts'
import { flagName, optionFlags } from './plan-flags.ts'
import {
  addEngineFlags,
  addSharedFlags,
  type EngineFlags,
  readTemplateFlag,
  type SharedFlag,
} from './shared-flags.ts'

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
  template: Template
  /** The form of the answers, if a schema is given. */
  responseFormat?: ResponseFormat
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
  const flags = withDefaults(given, config)
  checkStrategy(given, flags)
  const template = await readTemplateFlag(flags.template)
  const options: PlanOptions = {
    seed,
    ...readPlanOptions(flags),
    template: template.id,
    engineMaxTokens: readDefaultTokens(config),
  }
  const plan = makePlan(options)
  checkQuorum(given, plan)
  if (enginesOf(plan).some(isFolder)) {
    await (await import('./trained-model.ts')).warnOfTemplates(plan, template)
  }
  const engineFlags = { ...pickSettings(flags), config }
  const responseFormat = await readFormat(flags.schema)
  return { plan, options, template, responseFormat, engineFlags, config }
}

async function readFormat(schema: OptionValues['schema']): Promise<ResponseFormat | undefined> {
  if (schema === undefined) return undefined
  return (await import('../../files/schema-file.ts')).readFormat(schema)
}

/** Says whether a name is a folder, as for a trained model. */
function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Reads the config. Its module is loaded only if there is a config, because most calls do not have one. */
async function findConfig(file: string | undefined): Promise<Config> {
  if (file === undefined && !listFolder().some((name) => name.startsWith('aft.config.'))) return {}
  const { loadConfig, readConfig } = await import('../../engines/config.ts')
  return file === undefined ? ((await loadConfig(process.cwd())) ?? {}) : readConfig(file)
}

/** Lists the current folder. A folder that cannot be read has no config. */
function listFolder(): string[] {
  try {
    return readdirSync('.')
  } catch {
    return []
  }
}

/** Merges flags, preset and config. Flags win; a preset given by flag wins over the config. --model is for every role. */
function withDefaults(flags: AnswerFlags, config: Config): AnswerFlags {
  const { preset, template, ...defaults } = config.defaults ?? {}
  const folder = flags.config ? dirname(flags.config) : '.'
  const named = findPreset(flags.preset ?? preset, config)
  const under = flags.preset === undefined ? joinLevels(named, defaults) : joinLevels(defaults, named)
  const { model, proposers, aggregators, judge, ...others } = under
  const { schema } = under
  const files = {
    ...(template !== undefined && { template: resolve(folder, template) }),
    ...(typeof schema === 'string' && { schema: resolve(folder, schema) }),
  }
  return joinLevels<AnswerFlags>(flags.model === undefined ? under : others, files, flags)
}

function findPreset(name: string | undefined, { presets = {}, defaults = {} }: Config): PresetConfig {
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
