/** The tags between which models leave reasoning in their content. */

/** A tag that was found in a text. */
export interface Tag {
  index: number
  /** The tag itself. */
  text: string
  /** Tags of one family close each other. */
  family: string
  /** `switch`: the next is reasoning or text whatever came before (harmony's channels). */
  kind: 'open' | 'close' | 'switch-to-reasoning' | 'switch-to-text'
}

/** A text without any of these characters holds no tag, and no part of one. */
export const TRIGGER = /[<[\u25c1]/

const PAIRS: [family: string, open: string, close: string][] = [
  ['think', '<think>', '</think>'],
  ['think', '<thinking>', '</thinking>'],
  ['thought', '<thought>', '</thought>'],
  ['seed', '<seed:think>', '</seed:think>'],
  // Kimi, and Magistral; only capitals, since a play may say [think].
  ['kimi', '\u25c1think\u25b7', '\u25c1/think\u25b7'],
  ['magistral', '[THINK]', '[/THINK]'],
  ['gemma', '<|channel>thought\n', '<channel|>'],
  ['medgemma', '<unused94>thought\n', '<unused95>'],
  ['openthinker', '<|begin_of_thought|>', '<|end_of_thought|>'],
  ['cohere', '<|start_thinking|>', '<|end_thinking|>'],
  ['glm', '<|thinking|>', '<|/thinking|>'],
  ['longcat', '<longcat_think>', '</longcat_think>'],
  ['minimax', '<mm:think>', '</mm:think>'],
]
/** What stands around an answer: never part of it. */
const AROUND = ['<|begin_of_solution|>', '<|end_of_solution|>', '<|start_response|>', '<|end_response|>']
const BY_TAG = new Map<string, Pick<Tag, 'family' | 'kind'>>([
  ...PAIRS.flatMap(([family, open, close]): [string, Pick<Tag, 'family' | 'kind'>][] => [
    [open.toLowerCase(), { family, kind: 'open' }],
    [close.toLowerCase(), { family, kind: 'close' }],
  ]),
  ...AROUND.map((tag): [string, Pick<Tag, 'family' | 'kind'>] => [tag, { family: 'answer', kind: 'close' }]),
])
const LITERALS = [...BY_TAG.keys()]

const CHANNEL = String.raw`(?:<\|end\|>)?(?:<\|start\|>\w{0,20})?<\|channel\|>([^<]{1,80})(?:<\|constrain\|>[^<]{0,40})?<\|message\|>`
const ANY = LITERALS.map((tag) => tag.replace(/[|[\]]/g, '\\$&')).join('|')
const TAG = new RegExp(`${CHANNEL}|${ANY}`, 'i')
const TAG_IN_HARMONY = new RegExp(String.raw`${CHANNEL}|<\|(?:end|return|call)\|>|${ANY}`, 'i')

/** The first tag in a text. The ends of harmony messages count only where a channel was named before. */
export function findTag(text: string, isHarmony: boolean): Tag | undefined {
  const match = (isHarmony ? TAG_IN_HARMONY : TAG).exec(text)
  if (!match) return undefined
  const { index, 0: tag, 1: channel } = match
  if (channel !== undefined) {
    const kind = /^\s*analysis/i.test(channel) ? 'switch-to-reasoning' : 'switch-to-text'
    return { index, text: tag, family: 'harmony', kind }
  }
  const known = BY_TAG.get(tag.toLowerCase())
  return { index, text: tag, ...(known ?? { family: 'harmony', kind: 'close' }) }
}

/** Whether a tag is written as models write it: `[think]` in small letters is text. */
export function isGenuine({ text }: Tag): boolean {
  return !text.startsWith('[') || text === text.toUpperCase()
}

const LONGEST_TAG = 200
const PART_OF_CHANNEL =
  /^<\|(?:[a-z]{0,10}|(?:end\|>)?(?:<\|start\|>\w{0,20}|start\|>\w{0,20})?(?:<?\|?channel\|>[^<]{0,80})?(?:<\|constrain\|>[^<]{0,40})?(?:<\|?[a-z]{0,10}\|?)?|[a-z]{0,10}\|)$/i

/** Where the end of a text begins that may still become a tag; the text's length if there is none. */
export function findStartOfTag(text: string): number {
  for (let at = Math.max(0, text.length - LONGEST_TAG); at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char !== 0x3c && char !== 0x5b && char !== 0x25c1) continue
    const rest = text.slice(at)
    if (isPartOfTag(rest.toLowerCase())) return at
  }
  return text.length
}

function isPartOfTag(rest: string): boolean {
  return LITERALS.some((tag) => tag.startsWith(rest)) || PART_OF_CHANNEL.test(rest)
}
