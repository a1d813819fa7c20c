/** Which template a plan has: the one that the caller gives, that of a trained model, or a built-in one. */
import { type Plan, writerOf } from '../core/plan.ts'
import type { Engine } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import type { Template } from '../core/provider/template.ts'
import type { PlanOptions } from './strategies.ts'
import { findTemplate } from './wordings.ts'

/** The templates that plans may name besides the built-in ones. */
export interface Wordings {
  /** The one that the caller gives for all plans. It wins over those of trained models. */
  given?: Template
  /** Those that models were trained with, by engine name. */
  trained: Record<string, Template>
}

/**
 * The wordings of opened engines.
 * @throws UsageError if what the caller gives is no template
 */
export function wordingsOf(engines: Record<string, Engine>, given?: Template): Wordings {
  if (given !== undefined && typeof given?.aggregatorSystem !== 'string')
    throw new UsageError('expected `template` to be a template, as `await readTemplate(FILE)` gives it')
  const trained = Object.entries(engines).flatMap(([name, { template }]) =>
    template ? [[name, template]] : [],
  )
  return { given, trained: Object.fromEntries(trained) }
}

/** The options of a plan that follow from wordings. */
export function templateOptions({
  given,
  trained,
}: Wordings): Pick<PlanOptions, 'template' | 'engineTemplates'> {
  if (given) return { template: given.id, engineTemplates: undefined }
  const ids = Object.entries(trained).map(([name, { id }]) => [name, id])
  return { engineTemplates: Object.fromEntries(ids) }
}

/** The template of a plan. @throws UsageError if it names one that is not there */
export function templateOf(plan: Plan, { given, trained }: Wordings): Template {
  return findTemplate(plan.template, [given, trained[writerOf(plan)]])
}
