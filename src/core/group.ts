/** Who is shown what: members of a layer that see the same proposals form a group, which is one request. */
import { hashParts, randomFrom, shuffle } from '../lib/random.ts'
import type { LayerTask } from './host.ts'
import type { Completion } from './result.ts'
import { seedOf } from './seeds.ts'

/** Members of one voice that are sampled in one request. */
export interface Group {
  /** Place of the voice in its layer, from 0. */
  voice: number
  /** Members of the layer before, in the order shown. */
  saw: number[]
  members: Member[]
}

/** One sample: its place in the layer, from 0, and its seed. */
export interface Member {
  index: number
  seed: number
}

/** The requests that a layer needs. */
export function groupMembers(task: LayerTask): Group[] {
  const { prompt, plan, layer, depth } = task
  const groups = new Map<string, Group>()
  let index = 0
  for (const [voice, { n }] of layer.voices.entries()) {
    for (let i = 0; i < n; i++, index++) {
      const saw = chooseSeen(task, index)
      const key = `${voice}:${saw}`
      const group: Group = groups.get(key) ?? { voice, saw, members: [] }
      groups.set(key, group)
      group.members.push({ index, seed: seedOf(plan.seed, prompt.id, depth, voice, i) })
    }
  }
  return [...groups.values()]
}

/** The proposals that a group is shown, in that order. */
export function listShown({ proposals }: LayerTask, { saw }: Group): Completion[] {
  const byIndex = new Map(proposals.map((p) => [p.index, p]))
  return saw.map((index) => byIndex.get(index) as Completion)
}

function chooseSeen({ prompt, plan, layer, depth, proposals }: LayerTask, index: number): number[] {
  if (layer.see === 'nothing') return []
  const random = (use: string, key: string | number) =>
    randomFrom(hashParts(plan.seed, use, prompt.id, depth, key))
  let saw = proposals.map((p) => p.index)
  if (layer.see !== 'all') {
    const sampled = shuffle(saw, random('see', index)).slice(0, layer.see.sample)
    saw = sampled.sort((a, b) => a - b)
  }
  return plan.order === 'shuffled' ? shuffle(saw, random('order', saw.join())) : saw
}
