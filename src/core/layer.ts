/** One layer: its groups, sampled at once. */
import { groupMembers } from './group.ts'
import type { LayerTask } from './host.ts'
import { countMembers } from './plan.ts'
import { watchQuorum } from './quorum.ts'
import type { LayerResult } from './result.ts'
import { sampleGroup } from './sample.ts'

/** Samples all groups at once, until every member is there or the quorum lets the others go. */
export async function runLayer(task: LayerTask): Promise<LayerResult> {
  const { host, layer, depth, isLast } = task
  const recorded = host.recorded?.[depth]
  if (recorded) return inOrder(recorded)
  host.emit?.({ type: 'layer-start', layer: depth, width: countMembers(layer), isLast })
  const result = inOrder(await sampleLayer(task))
  const shown = result.completions.filter((c) => !c.excluded).map((c) => c.index)
  host.emit?.({ type: 'layer-end', layer: depth, shown })
  return result
}

async function sampleLayer(task: LayerTask): Promise<LayerResult> {
  const { host, layer } = task
  const result: LayerResult = { completions: [], failures: [] }
  const countUsable = () => result.completions.filter((c) => !c.excluded).length
  const quorum = watchQuorum(layer.quorum, host, countUsable)
  const run = { ...task, result, quorum }
  try {
    await Promise.all(groupMembers(task).map((group) => sampleGroup(run, group)))
  } catch (error) {
    quorum.cut(error)
    throw error
  } finally {
    quorum.stop()
  }
  host.signal?.throwIfAborted()
  return result
}

/** Members by their index, whenever they came. Of one that was sampled twice, the usable completion is first. */
function inOrder({ completions, failures }: LayerResult): LayerResult {
  return {
    completions: completions.toSorted((a, b) => a.index - b.index || rank(a.excluded) - rank(b.excluded)),
    failures: failures.toSorted((a, b) => a.index - b.index),
  }
}

const rank = (excluded: unknown) => (excluded ? 1 : 0)
