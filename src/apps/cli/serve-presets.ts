/** What a config's presets say, as plan options. */
import { UsageError } from '../../core/provider/errors.ts'
import type { PlanOptions, StrategyName } from '../../core/strategies.ts'
import type { PresetConfig } from '../../engines/config.ts'
import type { Preset } from '../../request/plans.ts'

const DEFAULT_GRACE_MS = 5_000

/** @throws UsageError for `graceMs` without `quorum` */
export function readPresets(configs: Record<string, PresetConfig> = {}): Record<string, Preset> {
  return Object.fromEntries(Object.entries(configs).map(([name, config]) => [name, readPreset(name, config)]))
}

function readPreset(name: string, config: PresetConfig): Preset {
  const { model, proposers, aggregator, strategy, quorum, graceMs, capMs, ...rest } = config
  if (graceMs !== undefined && quorum === undefined) {
    throw new UsageError(`presets.${name}: graceMs needs quorum`)
  }
  const roles: Partial<PlanOptions> = {
    ...(model && { proposers: [model], aggregators: [model] }),
    ...(proposers && { proposers }),
    ...(aggregator && { aggregators: aggregator }),
  }
  const hasQuorum = quorum !== undefined || capMs !== undefined
  const count = quorum ?? Number.MAX_SAFE_INTEGER
  return {
    ...rest,
    ...roles,
    ...(strategy && { strategy: strategy as StrategyName }),
    ...(hasQuorum && { quorum: { count, graceMs: graceMs ?? DEFAULT_GRACE_MS, capMs } }),
  }
}
