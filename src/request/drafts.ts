/**
 * The proposals of turns whose loop of tool calls may go on. They are in memory only: a server has no state to begin with,
 * and its clients send the whole conversation at every step.
 */
import type { LayerResult } from '../core/result.ts'

/** Which drafts are wanted. */
export interface DraftKey {
  /** All that must be the same: client, model, plan, template, the conversation up to the user's turn, and which panel. */
  turn: string
  /** Hash of the system prompts. */
  system: string
  /** Ids of the tool calls of the turn so far. */
  callIds: string[]
}

/** What a panel wrote. */
export interface Drafts {
  layers: LayerResult[]
  /** Messages after the user's turn that were there when it wrote them. */
  since: number
}

/** Keeps drafts, and finds those of a turn. */
export interface DraftStore {
  /** False if the store keeps nothing. */
  readonly isOpen: boolean
  /** @param key with the ids of the calls of the answer that was made from the drafts */
  keep(key: DraftKey, drafts: Drafts): void
  find(key: DraftKey): Drafts | undefined
}

/** What a store keeps at most. */
export interface DraftLimits {
  /** Bytes of all drafts together, as JSON; 0 keeps none. */
  maxBytes: number
  maxTurns?: number
  /** Milliseconds since drafts were last used. */
  maxAgeMs?: number
  now?: () => number
}

interface Entry extends DraftKey {
  drafts: Drafts
  bytes: number
  usedMs: number
}

/** Makes an empty store. If it is full, the drafts that were not used for the longest time go first. */
export function createDraftStore({
  maxBytes,
  maxTurns = 1_000,
  maxAgeMs = 3_600_000,
  now = () => performance.now(),
}: DraftLimits): DraftStore {
  /** In the order of their last use. */
  const entries = new Set<Entry>()
  let total = 0
  const drop = (entry: Entry) => {
    if (entries.delete(entry)) total -= entry.bytes
  }
  const trim = () => {
    for (const entry of entries) {
      const isOld = now() - entry.usedMs > maxAgeMs
      if (!isOld && total <= maxBytes && entries.size <= maxTurns) return
      drop(entry)
    }
  }
  return {
    isOpen: maxBytes > 0,
    keep(key, drafts) {
      const bytes = JSON.stringify([key, drafts]).length
      if (bytes > maxBytes) return
      entries.add({ ...key, drafts, bytes, usedMs: now() })
      total += bytes
      trim()
    },
    find(key) {
      trim()
      const found = choose(
        [...entries].filter(({ turn }) => turn === key.turn),
        key,
      )
      if (!found) return undefined
      entries.delete(found)
      entries.add({ ...found, usedMs: now() })
      return found.drafts
    },
  }
}

/**
 * The same conversation may run several times at once: ids of calls tell its runs apart. If a client writes other ids, the
 * newest drafts count. If its system prompt changes from step to step, the ids must say that the drafts are its own.
 */
function choose(entries: Entry[], { system, callIds }: DraftKey): Entry | undefined {
  const same = entries.filter((entry) => entry.system === system)
  const own = entries.filter((entry) => entry.callIds.some((id) => callIds.includes(id)))
  return same.findLast((entry) => own.includes(entry)) ?? (own.length === 1 ? own[0] : same.at(-1))
}
