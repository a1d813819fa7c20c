/** Runs one layer: samples all its groups at the same time. */
import { groupMembers } from './group.ts'
import type { LayerTask } from './host.ts'
import { countMembers } from './plan.ts'
import { watchQuorum } from './quorum.ts'
import { type LayerResult, listUsable } from './result.ts'
import { sampleGroup } from './sample.ts'

/**
 * Samples all groups of a layer. Resolves when every member has ended, or when the quorum cuts the rest. A layer that
 * exists already (`host.recorded`) is returned without sampling.
 */
export async function runLayer(task: LayerTask): Promise<LayerResult> {
  const { host, layer, layerIndex, isLast } = task
  const recorded = host.recorded?.[layerIndex]
  if (recorded) return inOrder(recorded)
  host.emit?.({ type: 'layer-start', layer: layerIndex, width: countMembers(layer), isLast })
  const result = inOrder(await sampleLayer(task))
  const shown = listUsable(result, task.proposals).map((c) => c.index)
  host.emit?.({ type: 'layer-end', layer: layerIndex, shown })
  return result
}

async function sampleLayer(task: LayerTask): Promise<LayerResult> {
  const { host, layer } = task
  const result: LayerResult = { completions: [], failures: [] }
  const countUsable = () => result.completions.filter((c) => !c.excluded).length
  const onGrace = () => {
    const ended = new Set([...result.completions, ...result.failures].map((c) => c.index))
    const missing = countMembers(layer) - ended.size
    const { graceMs: ms = 0 } = layer.quorum ?? {}
    if (missing > 0) host.emit?.({ type: 'layer-waiting', layer: task.layerIndex, missing, ms })
  }
  const quorum = watchQuorum(layer.quorum, host, countUsable, onGrace)
  const run = { ...task, result, quorum }
  try {
    await Promise.all(groupMembers(task).map((group) => sampleGroup(run, group)))
  } catch (error) {
    quorum.cut(error) // ends the requests of the other groups
    throw error
  } finally {
    quorum.stop()
  }
  host.signal?.throwIfAborted()
  return result
}

/** Sorts by the members' index. If a member was sampled twice, its usable completion comes first. */
function inOrder({ completions, failures }: LayerResult): LayerResult {
  return {
    completions: completions.toSorted((a, b) => a.index - b.index || rank(a.excluded) - rank(b.excluded)),
    failures: failures.toSorted((a, b) => a.index - b.index),
  }
}

const rank = (excluded: unknown) => (excluded ? 1 : 0)
