/** Engines that only have a name: what a submitter has in place of those that its workers open. */
import type { Engine } from '../../core/provider/engine.ts'
import { isModel } from '../../engines/ai-sdk/is-model.ts'
import type { Config } from '../../engines/config.ts'
import { idOfServers, splitAddresses } from '../../engines/openai/endpoint.ts'
import { folderOfConfig, readTrainedTemplate, withTemplate } from '../../engines/trained-template.ts'

/**
 * Makes stand-ins by the names of a plan. Their ids are those that engines opened here would have, as far as names and config
 * say it. So a journal may be continued with and without a queue. Nothing is loaded, and no key is needed.
 */
export async function makeStandIns(
  names: string[],
  config: Config,
  configFile?: string,
): Promise<Record<string, Engine>> {
  const made = names.map(async (name): Promise<[string, Engine]> => {
    const template = await readTrainedTemplate(name, config, folderOfConfig(configFile))
    return [name, withTemplate(standIn(idOf(name, config)), template)]
  })
  return Object.fromEntries(await Promise.all(made))
}

function standIn(id: string): Engine {
  return {
    id,
    // biome-ignore lint/correctness/useYield: it never answers
    async *generate() {
      throw new Error(`${id} is opened by workers only`)
    },
  }
}

/** The id of the engine that a name opens. */
export function idOf(name: string, { engines = {} }: Config, seen: string[] = []): string {
  const at = name.lastIndexOf('#')
  if (/^https?:/.test(name) && at > 0)
    return idOfServers(splitAddresses(name.slice(0, at)), name.slice(at + 1))
  const entry = Object.hasOwn(engines, name) ? engines[name] : undefined
  if (entry === undefined || seen.includes(name) || typeof entry === 'function' || isModel(entry)) return name
  if (typeof entry === 'string') return idOf(entry, { engines }, [...seen, name])
  const { provider, model, baseURL } = entry
  if (provider) return `${provider}:${model}`
  if (!baseURL) return idOf(model, { engines }, [...seen, name])
  return idOfServers([baseURL].flat(), model.replace(/^openai:/, ''))
}
