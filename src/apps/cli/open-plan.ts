/** Opens every engine that a plan names. */
import { enginesOf, type Plan } from '../../core/plan.ts'
import type { OpenedEngines, OpenOptions } from '../../engines/open.ts'

/**
 * Opens engines, by the names that the plan uses, with a function that closes them all.
 * @throws UsageError for an unknown name, or a missing key or file. Engines that were opened before are closed.
 */
export async function openPlan(plan: Plan, options: OpenOptions): Promise<OpenedEngines> {
  const { openEngines } = await import('../../engines/open.ts')
  return openEngines(enginesOf(plan), options)
}
