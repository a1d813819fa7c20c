/** Word ladders: from word to word by changing one letter, through the given words only. */
import { UsageError } from '../../core/provider/errors.ts'
import { shuffle } from '../../lib/random.ts'
import { type PuzzleKind, pick, type Random } from './puzzle.ts'

const words =
  'bad bag ban bat bed beg bet bid big bin bit box boy bud bug bun bus but buy cab can cap car cat cop cot cow cry cub cup cut dad day den did dig dim dip dog dot dry dug fan far fat fed few fig fin fit fix fly fog fox fun fur gap get got gum gun guy had ham has hat hen her hid him hip his hit hog hop hot how hug hut jam jar jet job jog joy kid kin kit lab lad lap law lay led leg let lid lie lip lit log lot low mad man map mat may men met mix mob mop mud mug nap net new nod not now nut pad pan pat paw pay pen pet pie pig pin pit pod pop pot pub put ran rap rat raw ray red rib rid rim rip rob rod rot row rub rug run sad sat saw say set sip sit sob son sum sun tab tag tan tap tax ten tie tin tip toe ton top toy tub tug two van vet war was way web wet wig win won yes yet zip zoo'.split(
    ' ',
  )

const differ = (a: string, b: string) => [...a].filter((letter, i) => letter !== b[i]).length
const neighbors = new Map<string, string[]>()

function neighborsOf(word: string): string[] {
  const found = neighbors.get(word) ?? words.filter((other) => differ(word, other) === 1)
  neighbors.set(word, found)
  return found
}

const wordings = [
  (list: string, a: string, b: string) => `Words: ${list}. Change one letter at a time from ${a} to ${b}.`,
  (list: string, a: string, b: string) => `Climb from ${a} to ${b}, one letter a step. Rungs: ${list}.`,
]

/** Grows arms that touch only at the start: no other pair of their words differs by one letter. */
function growArms(start: string, { choices, steps }: { choices: number; steps: number }, random: Random) {
  const used = [start]
  const arms: string[][] = []
  for (let i = 0; i < choices; i++) {
    const arm: string[] = []
    for (let step = 0; step < steps; step++) {
      const from = arm.at(-1) ?? start
      const free = neighborsOf(from).filter((word) =>
        used.every((other) => other === from || differ(word, other) > 1),
      )
      if (free.length === 0) return undefined
      const word = pick(free, random)
      arm.push(word)
      used.push(word)
    }
    arms.push(arm)
  }
  return arms
}

/** Ladders of `steps` rungs with `choices` ways to begin. */
export const ladders: PuzzleKind = {
  about: 'a ladder of words that differ by one letter',
  wordings: wordings.length,
  make(random, size, wording, taken) {
    for (let attempt = 0; attempt < 2000; attempt++) {
      const start = pick(words, random)
      const arms = growArms(start, size, random)
      if (!arms || [start, ...arms.flat()].some((word) => taken.has(word))) continue
      for (const word of [start, ...arms.flat()]) taken.add(word)
      const arm = pick(arms, random)
      const say = (rungs: string[]) => [start, ...rungs].join(' ')
      const list = shuffle(arms.flat(), random).join(' ')
      return {
        question: (wordings[wording] as (typeof wordings)[0])(list, start, arm.at(-1) as string),
        answer: say(arm),
        guess: (seeded) => say(pick(arms, seeded)),
      }
    }
    throw new UsageError(
      `found no word ladders with choices=${size.choices} and steps=${size.steps}: make them smaller`,
    )
  },
}
