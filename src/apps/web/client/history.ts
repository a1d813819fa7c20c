/** Conversations, kept in this browser: the oldest make room for the newest. */
import { defaultSettings, type Settings } from './api.ts'
import type { Turn } from './run.ts'

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

export function readHistory(): Conversation[] {
  const found = read<unknown>(HISTORY, [])
  return Array.isArray(found) ? (found as Conversation[]).filter((c) => Array.isArray(c?.turns)) : []
}

/** Puts a conversation first. Where there is no room the oldest go, and at last its proposals stay out. */
export function keep(conversation: Conversation): Conversation[] {
  const others = readHistory().filter(({ id }) => id !== conversation.id)
  let kept = [conversation, ...others].slice(0, MOST)
  while (kept.length > 0) {
    if (write(kept)) return kept
    kept = kept.length > 1 ? kept.slice(0, Math.ceil(kept.length / 2)) : withoutProposals(kept)
  }
  return others
}

/** Empty where that has been done already. */
function withoutProposals([conversation]: Conversation[]): Conversation[] {
  if (!conversation || conversation.turns.every(({ run }) => run.layers.length === 0)) return []
  const turns = conversation.turns.map((turn) => ({ ...turn, run: { ...turn.run, layers: [] } }))
  return [{ ...conversation, turns }]
}

export function forget(id?: string): Conversation[] {
  const left = id === undefined ? [] : readHistory().filter((c) => c.id !== id)
  write(left)
  return left
}

function write(conversations: Conversation[]): boolean {
  try {
    localStorage.setItem(HISTORY, JSON.stringify(conversations))
    return true
  } catch {
    return false
  }
}

export const readSettings = (): Settings => ({ ...defaultSettings, ...read<Partial<Settings>>(SETTINGS, {}) })

export function keepSettings(settings: Settings): void {
  try {
    localStorage.setItem(SETTINGS, JSON.stringify(settings))
  } catch {
    // Private windows refuse: the settings then hold for this visit.
  }
}
