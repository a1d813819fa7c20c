/** What is wrong with the value of an option, and where in it. */
import { findClosest } from '../lib/closest.ts'
import { describeKind, isName, isOfKind, type OptionKind, roleKinds, whole } from './option-kinds.ts'

/** What is wrong with a value, and where in it. */
export interface Problem {
  path: (string | number)[]
  /** What was expected there, in words. */
  expected: string
  got: unknown
}

/** Returns the first thing that is wrong with a value; undefined if it is what an option takes. */
export function findProblem(kind: OptionKind, value: unknown): Problem | undefined {
  if (kind.type === 'engine') return findInRole(value, false)
  if (kind.type !== 'engines') {
    return isOfKind(kind, value) ? undefined : { path: [], expected: describeKind(kind), got: value }
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ENGINES) {
    return { path: [], expected: describeKind(kind), got: value }
  }
  return findInList(value, kind.hasN)
}

/** Requests of clients hold such lists too. */
const MAX_ENGINES = 64

function findInList(list: unknown[], hasN: boolean): Problem | undefined {
  for (const [i, entry] of list.entries()) {
    const problem = findInRole(entry, hasN)
    if (problem) return { ...problem, path: [i, ...problem.path] }
  }
  return undefined
}

/** A role is a name, or an object with `engine` and settings of its own. */
function findInRole(role: unknown, hasN: boolean, hasFallbacks = true): Problem | undefined {
  if (isName(role)) return undefined
  if (typeof role !== 'object' || role === null || Array.isArray(role))
    return { path: [], expected: 'an engine name, or an object with `engine`', got: role }
  const kinds: Record<string, OptionKind> = { ...(hasN && { n: whole(1) }), ...roleKinds }
  const { engine: name, fallbacks = [], ...settings } = role as Record<string, unknown>
  if (!isName(name)) return { path: ['engine'], expected: 'an engine name', got: name }
  for (const [field, got] of Object.entries(settings)) {
    const kind = Object.hasOwn(kinds, field) ? kinds[field] : undefined
    if (!kind) return { path: [], expected: describeFields(field, Object.keys(kinds)), got: field }
    if (got !== undefined && !isOfKind(kind, got)) return { path: [field], expected: describeKind(kind), got }
  }
  if (!Array.isArray(fallbacks) || fallbacks.length > (hasFallbacks ? MAX_ENGINES : 0))
    return { path: ['fallbacks'], expected: 'a list of engine names', got: fallbacks }
  const problem = fallbacks.map((f) => findInRole(f, false, false)).findIndex(Boolean)
  if (problem < 0) return undefined
  const inner = findInRole(fallbacks[problem], false, false) as Problem
  return { ...inner, path: ['fallbacks', problem, ...inner.path] }
}

function describeFields(field: string, known: string[]): string {
  const near = findClosest(field, known)
  return `one of engine, ${[...known, 'fallbacks'].join(', ')}${near ? ` (did you mean ${near}?)` : ''}`
}
