/** Keeps conversations in this browser. If there is no room for a new one, the oldest are deleted. */
import { useState } from 'preact/hooks'
import { defaultSettings, type Settings } from './api.ts'
import type { Conversation } from './conversation-file.ts'
import { stopRun } from './run.ts'

const HISTORY = 'aft.history'
const SETTINGS = 'aft.settings'
const MARKS = 'aft.marks'
const MOST = 50

function read<T>(name: string, fallback: T): T {
  try {
    return (JSON.parse(localStorage.getItem(name) ?? 'null') as T | null) ?? fallback
  } catch {
    return fallback
  }
}

/** Reads all kept conversations, the newest first. A run that was cut off by a reload has stopped. */
export function readHistory(): Conversation[] {
  const found = read<unknown>(HISTORY, [])
  const kept = Array.isArray(found) ? (found as Conversation[]).filter((c) => Array.isArray(c?.turns)) : []
  for (const { run } of kept.flatMap(({ turns }) => turns))
    if (run.state === 'running') stopRun(run, 'stopped')
  return kept
}

/** Keeps a conversation as the newest. If there is no room, it drops the oldest, and at last its own proposals. */
export function keep(conversation: Conversation): Conversation[] {
  const others = readHistory().filter(({ id }) => id !== conversation.id)
  let kept = [conversation, ...others].slice(0, MOST)
  while (kept.length > 0) {
    if (write(HISTORY, kept)) return kept
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
  write(HISTORY, rest)
  return rest
}

/** False if there is no room, or in a private window. */
function write(name: string, value: unknown): boolean {
  try {
    localStorage.setItem(name, JSON.stringify(value))
    return true
  } catch {
    return false
  }
}

/** A state that the next visit begins with. */
function useKept<T>(name: string, start: () => T): [value: T, change: (value: T) => void] {
  const [value, set] = useState(start)
  const change = (value: T) => {
    set(value)
    write(name, value)
  }
  return [value, change]
}

/** The settings. */
export const useSettings = () =>
  useKept<Settings>(SETTINGS, () => ({ ...defaultSettings, ...read<Partial<Settings>>(SETTINGS, {}) }))

/** Whether each sentence has the color of its source; at first it is no. */
export const useMarks = () => useKept(MARKS, () => read(MARKS, false))
