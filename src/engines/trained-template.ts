/** The templates that trained models name in their cards, by the names that open the models. */
import { dirname } from 'node:path'
import type { Engine } from '../core/provider/engine.ts'
import type { Template } from '../core/provider/template.ts'
import { findCheckpoint } from '../files/find-checkpoint.ts'
import { readCardTemplate, readTemplate } from '../files/template-file.ts'
import { checkOptions, type OptionValues } from '../plans/options.ts'
import { renameRole } from '../plans/roles.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { isModel } from './ai-sdk/is-model.ts'
import type { Config } from './config.ts'
import { authorsCheckpoints, catalog } from './models/model-catalog.ts'

/** The folder of a trained model by its name, or of the model of `URL#FOLDER`, as vLLM calls what it serves. */
export function folderOf(name: string): string | undefined {
  return findCheckpoint(isServed(name) ? name.slice(name.lastIndexOf('#') + 1) : name)
}

/** Whether a server has the model. */
export function isServed(name: string): boolean {
  return /^https?:/.test(name)
}

/**
 * The options of a plan that a trained model's card names: with whose proposals, how many and how sampled it was trained.
 * @throws UsageError for a wrong option, DataError for a card that cannot be read
 */
export async function readTrainedOptions(name: string): Promise<OptionValues> {
  const folder = isServed(name) ? undefined : folderOf(name)
  if (folder === undefined) return {}
  const { readRecord } = await import('../files/checkpoint.ts')
  const options: OptionValues = readRecord(folder).options ?? {}
  checkOptions(options)
  const rename = (engine: string) => (/^\.(\/|$)/.test(engine) ? `${name}${engine.slice(1)}` : engine)
  const { proposers, aggregators } = options
  return {
    ...options,
    ...(proposers && { proposers: proposers.map((role) => renameRole(role, rename)) }),
    ...(aggregators && { aggregators: aggregators.map((role) => renameRole(role, rename)) }),
  }
}

/**
 * The template that a model was trained with: that of its entry in the config, or that of its card. The checkpoints of
 * the method's authors have no card, but the published form. The small models of the catalog have it too:
 * their answers are right more often with it (LOG.md).
 * @param folder that paths of the config are relative to
 * @returns undefined for a model without a card, and for a card with a wording that is not to be had
 * @throws UsageError or DataError for a template or a card that cannot be read
 */
export async function readTrainedTemplate(
  name: string,
  config: Config = {},
  folder = '.',
): Promise<Template | undefined> {
  const seen: string[] = []
  for (let at = name; !seen.includes(at); ) {
    seen.push(at)
    const entry = Object.hasOwn(config.engines ?? {}, at) ? config.engines?.[at] : undefined
    if (entry === undefined) {
      const model = at.slice(at.lastIndexOf('#') + 1)
      const isPublished = authorsCheckpoints.some((known) => known.model === model)
      if (isPublished || catalog.some((known) => known.name === at)) return paperTemplate
      const trained = folderOf(at)
      if (trained === undefined) return undefined
      return readCardTemplate(trained)
    }
    if (typeof entry === 'function' || isModel(entry)) return undefined
    if (typeof entry === 'string') at = entry
    else if (entry.template !== undefined) return readTemplate(entry.template, folder)
    else at = entry.baseURL === undefined ? entry.model : `${entry.baseURL}#${entry.model}`
  }
  return undefined
}

/** The templates of several models, by name. Those without one are left out. */
export async function readTrainedTemplates(
  names: string[],
  config: Config = {},
  folder?: string,
): Promise<Record<string, Template>> {
  const found = await Promise.all(
    names.map(async (name) => [name, await readTrainedTemplate(name, config, folder)] as const),
  )
  return Object.fromEntries(found.filter((pair): pair is [string, Template] => pair[1] !== undefined))
}

/** The folder that the paths of a config are relative to. */
export function folderOfConfig(config: unknown): string {
  return typeof config === 'string' ? dirname(config) : '.'
}

/** The same engine, with the template that its model was trained with. */
export function withTemplate(engine: Engine, template: Template | undefined): Engine {
  return template ? Object.create(engine, { template: { value: template, enumerable: true } }) : engine
}
