/** Warns about trained models: with another template than in training they silently do worse. */
import { dirname } from 'node:path'
import { enginesOf, type Plan } from '../../core/plan.ts'
import { hashTemplate, type Template } from '../../core/provider/template.ts'
import { findTemplateChange, readCheckpoint } from '../../engines/models/checkpoint.ts'
import { folderOf, isServed, readTrainedTemplate } from '../../engines/trained-template.ts'
import { readRecord } from '../../files/checkpoint.ts'
import { readTemplate } from '../../files/template-file.ts'
import { paperTemplate } from '../../plans/wordings.ts'
import { findConfig } from './find-config.ts'

/**
 * The template of a command that stays with the published form, so that its results can be compared: the one that is
 * given, that of the trained model that writes, or the paper's.
 * @param config the file of --config
 */
export async function chooseTemplate(
  given: string | undefined,
  writer: string,
  config?: string,
): Promise<Template> {
  if (given !== undefined) return readTemplate(given)
  const folder = config === undefined ? '.' : dirname(config)
  return (await readTrainedTemplate(writer, await findConfig(config), folder)) ?? paperTemplate
}

/** Warns on standard error if a model of the plan was trained with another template or chat template. */
export async function warnOfTemplates(plan: Plan, template: Template): Promise<void> {
  for (const name of new Set(enginesOf(plan))) {
    const folder = folderOf(name)
    if (folder === undefined) continue
    const { templates } = readRecord(folder)
    const isKnown = templates.some(({ id, sha256 }) =>
      sha256 === undefined ? id === template.id : sha256 === hashTemplate(template),
    )
    const ids = templates.map(({ id }) => `"${id}"`).join(', ')
    if (templates.length > 0 && !isKnown) {
      console.error(
        `warning: ${name} was trained with the wording ${ids}, not with "${template.id}": give its --template`,
      )
    }
    if (isServed(name)) continue // a server has the chat template
    const change = await findTemplateChange(await readCheckpoint(folder))
    if (change) console.error(`warning: ${name}: ${change}`)
  }
}
