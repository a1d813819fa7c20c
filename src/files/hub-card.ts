/** Cards of data sets and models as the hub shows them: front matter, how to use it, and how it was evaluated. */
import { parse, stringify } from 'yaml'

/** What a card for the hub says more than the card in the folder. */
export interface HubCard {
  /** Added to the front matter; a field that the card has stays. */
  facts: Record<string, unknown>
  /** Sections in Markdown, before the card's other sections. */
  sections: { title: string; text: string }[]
}

const FRONT = /^---\n([\s\S]*?)\n?---\n/

/** Adds to a card. */
export function toHubCard(card: string, { facts, sections }: HubCard): string {
  const [front = '', given = ''] = FRONT.exec(card) ?? []
  const known = (parse(given) ?? {}) as Record<string, unknown>
  const head = stringify({
    ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
    ...known,
  })
  const body = card.slice(front.length)
  const at = body.search(/^## /m)
  const [start, rest] = at === -1 ? [`${body.trimEnd()}\n\n`, ''] : [body.slice(0, at), body.slice(at)]
  const added = sections.map(({ title, text }) => `## ${title}\n\n${text.trim()}\n\n`)
  return `---\n${head}---\n${start}${added.join('')}${rest}`
}

/** Licenses that the hub knows by name, by what people write. */
const LICENSES: Record<string, string> = {
  mit: 'mit',
  'apache-2.0': 'apache-2.0',
  'apache 2.0': 'apache-2.0',
  'cc by 4.0': 'cc-by-4.0',
  'cc-by-4.0': 'cc-by-4.0',
  'cc by-nc 4.0': 'cc-by-nc-4.0',
  'cc-by-nc-4.0': 'cc-by-nc-4.0',
  'cc by-sa 4.0': 'cc-by-sa-4.0',
  'cc-by-sa-4.0': 'cc-by-sa-4.0',
  'cc0-1.0': 'cc0-1.0',
  'odc-by': 'odc-by',
}

/** The fields of the front matter for a license in words; none if the card does not state one. */
export function licenseFacts(words: string | undefined): Record<string, string | undefined> {
  if (words === undefined || /^not stated/.test(words)) return {}
  const known = LICENSES[words.trim().toLowerCase()]
  return known ? { license: known } : { license: 'other', license_name: words.trim() }
}
