/** One round: its groups sampled at once, what is recorded left out. */
import { groupMembers } from './group.ts'
import type { LayerRun } from './host.ts'
import { countMembers } from './plan.ts'
import { watchQuorum } from './quorum.ts'
import type { Failure, LayerResult } from './result.ts'
import { sampleGroup } from './sample.ts'

/** Samples what is not recorded: all groups at once, until every member is there or the quorum lets the others go. */
export async function runLayer(run: LayerRun): Promise<LayerResult> {
  const { plan, host, layer, depth } = run
  const { completions = [], failures = [], isClosed = false } = host.recorded?.[depth] ?? {}
  const has = new Set(completions.map((c) => c.index))
  const stands = (failure: Failure) => isClosed || has.has(failure.index)
  const result: LayerResult = { completions: [...completions], failures: failures.filter(stands) }
  if (!isClosed) {
    const isLast = depth === plan.layers.length - 1
    host.emit?.({ type: 'layer-start', layer: depth, width: countMembers(layer), isLast })
    await sampleLayer(run, result)
  }
  result.completions.sort((a, b) => a.index - b.index)
  result.failures.sort((a, b) => a.index - b.index)
  const shown = result.completions.filter((c) => !c.excluded).map((c) => c.index)
  if (!isClosed) host.emit?.({ type: 'layer-end', layer: depth, shown })
  return result
}

async function sampleLayer(run: LayerRun, result: LayerResult): Promise<void> {
  const { host, layer } = run
  const countUsable = () => result.completions.filter((c) => !c.excluded).length
  const quorum = watchQuorum(layer.quorum, host, countUsable)
  try {
    await Promise.all(groupMembers(run).map((group) => sampleGroup(run, group, result, quorum)))
  } catch (error) {
    quorum.cut(error)
    throw error
  } finally {
    quorum.stop()
  }
  host.signal?.throwIfAborted()
}
