/** Opens every engine that a plan names. */
import { enginesOf, type Plan } from '../../core/plan.ts'
import type { OpenedEngines, OpenOptions } from '../../engines/open.ts'

/**
 * The engines by the names that the plan uses, and what closes them all.
 * @throws UsageError for an unknown name, a missing key or file; what was opened before it is closed again
 */
export async function openPlan(plan: Plan, options: OpenOptions): Promise<OpenedEngines> {
  const { openEngines } = await import('../../engines/open.ts')
  return openEngines(enginesOf(plan), options)
}
