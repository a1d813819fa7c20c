/** One round: its groups, sampled at once. */
import { groupMembers } from './group.ts'
import type { LayerRun } from './host.ts'
import { countMembers } from './plan.ts'
import { watchQuorum } from './quorum.ts'
import type { LayerResult } from './result.ts'
import { sampleGroup } from './sample.ts'

/** Samples all groups at once, until every member is there or the quorum lets the others go. */
export async function runLayer(run: LayerRun): Promise<LayerResult> {
  const { plan, host, layer, depth } = run
  const recorded = host.recorded?.[depth]
  if (recorded) return inOrder(recorded)
  const isLast = depth === plan.layers.length - 1
  host.emit?.({ type: 'layer-start', layer: depth, width: countMembers(layer), isLast })
  const result = inOrder(await sampleLayer(run))
  const shown = result.completions.filter((c) => !c.excluded).map((c) => c.index)
  host.emit?.({ type: 'layer-end', layer: depth, shown })
  return result
}

/** Members by their index, whenever they came. */
function inOrder({ completions, failures }: LayerResult): LayerResult {
  const byIndex = (a: { index: number }, b: { index: number }) => a.index - b.index
  return { completions: completions.toSorted(byIndex), failures: failures.toSorted(byIndex) }
}

async function sampleLayer(run: LayerRun): Promise<LayerResult> {
  const { host, layer } = run
  const result: LayerResult = { completions: [], failures: [] }
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
  return result
}
