/** A question of one puzzle or several, and what it is made from. */
import { UsageError } from '../../core/provider/errors.ts'
import { findClosest } from '../../lib/closest.ts'
import { hashParts, randomFrom } from '../../lib/random.ts'
import { ladders } from './ladders.ts'
import { type PuzzleKind, pick, type Random } from './puzzle.ts'
import { routes } from './routes.ts'
import { seating } from './seating.ts'
import { sums } from './sums.ts'
import { timetables } from './timetables.ts'

/** All kinds by name. To add one, add a file to this folder and its name here. */
export const puzzleKinds: Record<string, PuzzleKind> = { routes, timetables, sums, seating, ladders }

/** Which puzzles to make. */
export interface PuzzleSpec {
  kind: string
  choices: number
  steps: number
  /** Puzzles per question. */
  parts: number
  /** Which wordings, from 1. All if absent. */
  wordings?: [from: number, to: number]
}

const defaults = { choices: 2, steps: 3, parts: 1 }
const form = 'such as routes:choices=3,steps=2,parts=2,wordings=1-3 or routes+sums'

/**
 * Reads a list of puzzles: `KIND:NAME=VALUE,…` joined by `+`.
 * @throws UsageError that names the part that is wrong
 */
export function readPuzzleSpecs(text: string): PuzzleSpec[] {
  return text.split('+').map((item) => {
    const [, kind = '', rest = ''] = item.trim().match(/^([^:]*):?(.*)$/s) ?? []
    if (!Object.hasOwn(puzzleKinds, kind)) {
      const closest = findClosest(kind, Object.keys(puzzleKinds))
      throw new UsageError(
        `there are no puzzles "${kind}"${closest ? ` (meant "${closest}"?)` : ''}; there are: ${Object.keys(puzzleKinds).join(', ')}; ${form}`,
      )
    }
    const spec: PuzzleSpec = { kind, ...defaults }
    for (const setting of rest === '' ? [] : rest.split(',')) readSetting(spec, setting)
    return spec
  })
}

function readSetting(spec: PuzzleSpec, setting: string): void {
  const [name = '', value = ''] = setting.split('=').map((word) => word.trim())
  if (name === 'wordings') {
    const [, from, to = from] = value.match(/^(\d+)(?:-(\d+))?$/) ?? []
    const most = (puzzleKinds[spec.kind] as PuzzleKind).wordings
    if (!from || Number(from) < 1 || Number(to) < Number(from) || Number(to) > most) {
      throw new UsageError(
        `expected wordings of ${spec.kind} to be 1-${most} or a part of it, got "${value}"`,
      )
    }
    spec.wordings = [Number(from), Number(to)]
    return
  }
  if (name !== 'choices' && name !== 'steps' && name !== 'parts') {
    throw new UsageError(`puzzles have choices, steps, parts and wordings, not "${name}"; ${form}`)
  }
  const least = name === 'parts' ? 1 : 2
  if (!/^\d{1,2}$/.test(value) || Number(value) < least || Number(value) > 12) {
    throw new UsageError(
      `expected ${name} of ${spec.kind} to be a whole number from ${least} to 12, got "${value}"`,
    )
  }
  spec[name] = Number(value)
}

/** A question with its right answer. */
export interface PuzzleProblem {
  question: string
  /** One line per part: `(1) …`. */
  answer: string
  /** Writes what one pass without a search would answer. */
  guess(random: Random): string
}

/**
 * Makes a question of `parts` puzzles, each on a line that starts with its number.
 * @throws UsageError if puzzles of this size cannot be made
 */
export function makePuzzleProblem(random: Random, spec: PuzzleSpec): PuzzleProblem {
  const kind = puzzleKinds[spec.kind] as PuzzleKind
  const [from, to] = spec.wordings ?? [1, kind.wordings]
  const wording = pick(
    Array.from({ length: to - from + 1 }, (_, i) => from - 1 + i),
    random,
  )
  const taken = new Set<string>()
  const puzzles = Array.from({ length: spec.parts }, () => kind.make(random, spec, wording, taken))
  return {
    question: number(puzzles.map(({ question }) => question)),
    answer: number(puzzles.map(({ answer }) => answer)),
    guess: (seeded) => number(puzzles.map(({ guess }) => guess(seeded))),
  }
}

const number = (lines: string[]) => lines.map((line, i) => `(${i + 1}) ${line}`).join('\n')

/** The problem with index `i` of a seed: the same on every machine. */
export function seededProblem(spec: PuzzleSpec, seed: number, i: number) {
  const random = randomFrom(hashParts('puzzles', JSON.stringify(spec), seed, i))
  return { problem: makePuzzleProblem(random, spec), random }
}
