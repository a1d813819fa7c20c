/** What the loaders of trainers ask of examples beyond what this program asks: of Hugging Face's datasets, LLaMA-Factory and axolotl. */
import type { Message } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import type { Example } from './rows/row.ts'

/** The place of an example. */
export interface Place {
  file: string
  line: number
}

/** Looks at examples one after the other. `add` throws for what makes a loader refuse the whole file. */
export interface LoaderCheck {
  /** @throws DataError for a field that has another type than in an earlier line */
  add(example: Example, place: Place): void
  /** What a loader would leave out, in words. */
  notes(): string[]
}

/** Makes the check for the examples of a folder. */
export function createLoaderCheck(): LoaderCheck {
  const kinds = new Map<string, { kind: string; place: Place }>()
  const odd: { count: number; first?: Place } = { count: 0 }
  return {
    add({ prompt, completion, proposals }, place) {
      checkKinds({ prompt, completion, proposals }, '', kinds, place)
      if (alternates(prompt)) return
      odd.count++
      odd.first ??= place
    },
    notes() {
      if (!odd.first) return []
      const { file, line } = odd.first
      return [
        `LLaMA-Factory would drop ${odd.count} examples, whose turns do not alternate between user and assistant (first: ${file}:${line})`,
      ]
    },
  }
}

type Kinds = Map<string, { kind: string; place: Place }>

/** Loaders read a file as a table: a field has one type in all rows, and null in any. */
function checkKinds(value: unknown, path: string, kinds: Kinds, place: Place): void {
  if (value === null || value === undefined) return
  const kind = Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
  const known = kinds.get(path)
  if (known && known.kind !== kind)
    throw new DataError(
      place.file,
      place.line,
      `\`${path.slice(1)}\` is ${kind} here and ${known.kind} in ${known.place.file}:${known.place.line}: loaders of trainers refuse such a file; build it again`,
    )
  if (!known) kinds.set(path, { kind, place })
  if (Array.isArray(value)) for (const element of value) checkKinds(element, `${path}[]`, kinds, place)
  else if (typeof value === 'object')
    for (const [name, inner] of Object.entries(value)) checkKinds(inner, `${path}.${name}`, kinds, place)
}

/** Whether LLaMA-Factory takes a prompt: after a system message, a user (or a tool) and the assistant take turns. */
export function alternates(prompt: Message[]): boolean {
  const isSystem = (role?: string) => role === 'system' || role === 'developer'
  const turns = isSystem(prompt[0]?.role) ? prompt.slice(1) : prompt
  const isRight = ({ role }: Message, i: number) =>
    i % 2 === 0 ? role === 'user' || role === 'tool' : role === 'assistant'
  return turns.every(isRight) && turns.length % 2 === 1
}
