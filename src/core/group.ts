/** Decides what each member is shown. Members of one voice that see the same proposals form a group: one request. */
import { hashParts, randomFrom, shuffle } from '../lib/random.ts'
import type { LayerTask } from './host.ts'
import type { Completion } from './provider/records.ts'
import { seedOf } from './seeds.ts'

/** Members of one voice that are sampled in one request. */
export interface Group {
  /** Index of the voice in its layer. */
  voice: number
  /** Indexes of the proposals that the group is shown, in that order. */
  saw: number[]
  members: Member[]
}

/** One sample of a layer. `index` counts from 0 over all voices of the layer. */
export interface Member {
  index: number
  seed: number
}

/** Splits a layer into the requests that it needs. */
export function groupMembers(task: LayerTask): Group[] {
  const { prompt, plan, layer, layerIndex } = task
  const groups = new Map<string, Group>()
  let index = 0
  for (const [voice, { n }] of layer.voices.entries()) {
    for (let i = 0; i < n; i++, index++) {
      const saw = chooseSeen(task, index)
      const key = `${voice}:${saw}`
      const group: Group = groups.get(key) ?? { voice, saw, members: [] }
      groups.set(key, group)
      group.members.push({ index, seed: seedOf(plan.seed, prompt.id, layerIndex, voice, i) })
    }
  }
  return [...groups.values()]
}

/** The proposals that a group is shown, in the order of `saw`. */
export function listShown({ proposals }: LayerTask, { saw }: Group): Completion[] {
  const byIndex = new Map(proposals.map((p) => [p.index, p]))
  return saw.map((index) => byIndex.get(index) as Completion)
}

/** Members that sample the same proposals also get the same order, so that they can share a request. */
function chooseSeen({ prompt, plan, layer, layerIndex, proposals }: LayerTask, index: number): number[] {
  if (layer.see === 'nothing') return []
  const random = (use: string, key: string | number) =>
    randomFrom(hashParts(plan.seed, use, prompt.id, layerIndex, key))
  let saw = proposals.map((p) => p.index)
  if (layer.see !== 'all') {
    const sampled = shuffle(saw, random('see', index)).slice(0, layer.see.sample)
    saw = sampled.sort((a, b) => a - b)
  }
  if (plan.order === 'reversed') return saw.reverse()
  return plan.order === 'shuffled' ? shuffle(saw, random('order', saw.join())) : saw
}
