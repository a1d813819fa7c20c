/** Warns about trained models: with another template than in training they silently do worse. */
import { enginesOf, type Plan } from '../../core/plan.ts'
import { hashTemplate, type Template } from '../../core/templates.ts'

/** Warns on standard error if a model of the plan was trained with another template or chat template. */
export async function warnOfTemplates(plan: Plan, template: Template): Promise<void> {
  const { findTemplateChange, isCheckpoint, readCheckpoint } = await import(
    '../../engines/models/checkpoint.ts'
  )
  for (const name of new Set(enginesOf(plan))) {
    if (!isCheckpoint(name)) continue
    const checkpoint = await readCheckpoint(name)
    const { templates } = checkpoint.record
    const isKnown = templates.some(({ id, sha256 }) =>
      sha256 === undefined ? id === template.id : sha256 === hashTemplate(template),
    )
    const ids = templates.map(({ id }) => `"${id}"`).join(', ')
    if (templates.length > 0 && !isKnown) {
      console.error(
        `warning: ${name} was trained with the wording ${ids}, not with "${template.id}": give its --template`,
      )
    }
    const change = await findTemplateChange(checkpoint)
    if (change) console.error(`warning: ${name}: ${change}`)
  }
}
