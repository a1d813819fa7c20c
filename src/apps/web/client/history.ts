/** Keeps conversations in this browser. If there is no room for a new one, the oldest are deleted. */
import { defaultSettings, type Settings } from './api.ts'
import type { Turn } from './run.ts'

/** Questions and their answers, in order. */
export interface Conversation {
  id: string
  /** Milliseconds since 1970. */
  time: number
  title: string
  turns: Turn[]
}

const HISTORY = 'aft.history'
const SETTINGS = 'aft.settings'
const MOST = 50

function read<T>(name: string, fallback: T): T {
  try {
    return (JSON.parse(localStorage.getItem(name) ?? 'null') as T | null) ?? fallback
  } catch {
    return fallback
  }
}

/** Reads all kept conversations, the newest first. */
export function readHistory(): Conversation[] {
  const found = read<unknown>(HISTORY, [])
  return Array.isArray(found) ? (found as Conversation[]).filter((c) => Array.isArray(c?.turns)) : []
}

/** Keeps a conversation as the newest. If there is no room, it drops the oldest, and at last its own proposals. */
export function keep(conversation: Conversation): Conversation[] {
  const others = readHistory().filter(({ id }) => id !== conversation.id)
  let kept = [conversation, ...others].slice(0, MOST)
  while (kept.length > 0) {
    if (write(kept)) return kept
    kept = kept.length > 1 ? kept.slice(0, Math.ceil(kept.length / 2)) : withoutProposals(kept)
  }
  return others
}

/** Removes the proposals; returns an empty list if they were removed before. */
function withoutProposals([conversation]: Conversation[]): Conversation[] {
  if (!conversation || conversation.turns.every(({ run }) => run.layers.length === 0)) return []
  const turns = conversation.turns.map((turn) => ({ ...turn, run: { ...turn.run, layers: [] } }))
  return [{ ...conversation, turns }]
}

/** Deletes a conversation, or all without an id; returns the rest. */
export function forget(id?: string): Conversation[] {
  const rest = id === undefined ? [] : readHistory().filter((c) => c.id !== id)
  write(rest)
  return rest
}

function write(conversations: Conversation[]): boolean {
  try {
    localStorage.setItem(HISTORY, JSON.stringify(conversations))
    return true
  } catch {
    return false
  }
}

/** Reads the settings of the last visit. */
export const readSettings = (): Settings => ({ ...defaultSettings, ...read<Partial<Settings>>(SETTINGS, {}) })

/** Keeps the settings for the next visit. */
export function keepSettings(settings: Settings): void {
  try {
    localStorage.setItem(SETTINGS, JSON.stringify(settings))
  } catch {
    // A private window refuses to store them. The settings then last for this visit.
  }
}
