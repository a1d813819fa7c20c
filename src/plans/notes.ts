/** Says in words what holds an answer up, or what was done to get it. */
import type { EngineEvent } from '../core/provider/engine.ts'
import type { AftEvent } from '../core/result.ts'

/** What a note is made from: any event of an answer, or of one engine with its name. */
export type NoteEvent = AftEvent | (Extract<EngineEvent, { reason: string }> & { engine: string })

/**
 * What an event tells a person: a failed attempt, a changed request, a wait for stragglers. Undefined for all others.
 * The texts of members that fare alike are equal, so that a reader can fold them.
 */
export function describeNote(event: NoteEvent): string | undefined {
  switch (event.type) {
    case 'completion-waiting': {
      const { engine, ms, kind, attempt, reason } = event
      const when = ms > 0 ? `in ${showSeconds(ms)}` : 'at once'
      return `${engine} is asked again ${when} (${kind}, attempt ${attempt}): ${reason}`
    }
    case 'layer-waiting':
      return `layer ${event.layer + 1} waits at most ${showSeconds(event.ms)} for ${event.missing} more`
    case 'completion-failed': {
      // Other failures are in the result, or a fallback says so.
      const { engine, error } = event.failure
      return error.kind === 'straggler' ? `a completion of ${engine} was ${error.message}` : undefined
    }
    case 'completion-restarted':
    case 'request-changed':
      return event.reason
    default:
      return undefined
  }
}

function showSeconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))} s`
}

/** Makes a function that passes on each note the first time that it comes; other numbers make no other note. */
export function foldNotes(write: (note: string) => void, most = 100): (event: NoteEvent) => void {
  const known = new Set<string>()
  return (event) => {
    const note = describeNote(event)
    const key = note?.replace(/\d+/g, '0')
    if (note === undefined || key === undefined || known.has(key) || known.size >= most) return
    known.add(key)
    write(note)
  }
}
