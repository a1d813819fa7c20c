/** The messages of each role. Inference, data and training all call these functions. */
import { createHash } from 'node:crypto'
import { type Message, textOf } from './provider/engine.ts'

/** The wording of the roles. Its id and hash are written beside every text that was made with it. */
export interface Template {
  id: string
  /** The proposer's system message if the user does not have one. */
  proposerSystem: string
  /** The aggregator's system message; `{{proposals}}` stands for the list. */
  aggregatorSystem: string
  /** One proposal in that list; `{{number}}` (from 1) and `{{text}}`. */
  proposal: string
  separator: string
  /** Whether the user's own system prompt is kept, before the aggregator's instruction. */
  keepUserSystem: boolean
  /** Added to a proposal that was cut by its token limit. */
  cutMark?: string
  /** Note for proposers, and for aggregators before the last layer: they do not get the tools of the request. */
  withoutTools?: string
  /** The judge's system message; `{{candidates}}` stands for the list. */
  judgeSystem?: string
}

/**
 * The project's own wording in the structure of arXiv 2501.11877: a proposer's system message is one newline, and an
 * aggregator's holds the list of proposals.
 */
export const defaultTemplate: Template = {
  id: 'aft-1',
  proposerSystem: '\n',
  aggregatorSystem:
    'Several drafts of a reply to the conversation below were written independently. Some contain mistakes. ' +
    'Write the best reply to the last user message. Take from each draft what is correct and helpful, check where ' +
    'they disagree instead of counting votes, mend errors, and add what they miss. Reply to the user directly, in ' +
    'the language and the format that the conversation asks for. Do not mention the drafts.\n\nDrafts:\n{{proposals}}',
  proposal: '{{number}}. {{text}}',
  separator: '\n',
  keepUserSystem: true,
  cutMark: ' […]',
  withoutTools:
    'No tools can be called at this step. Say what you know, and name the calls that would help; do not claim to have made any.',
  judgeSystem:
    'Below are candidate replies to the last user message of the conversation. Compare them for correctness, ' +
    'completeness and clarity. Reply with the number of the best one and nothing else.\n\nCandidates:\n{{candidates}}',
}

/** A proposal as an aggregator is shown it. */
export interface ShownProposal {
  text: string
  /** Whether it ended at its token limit. */
  isCut?: boolean
}

/**
 * SHA-256 of a template's wording, as lower-case hex. The order of the keys does not matter.
 * @example
 * hashTemplate(defaultTemplate) // the `template.sha256` of a result
 */
export function hashTemplate(template: Template): string {
  const sorted = Object.entries(template).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}

/** Messages of a proposer: the conversation, with the template's system message if the user does not have one. */
export function proposerMessages(template: Template, conversation: Message[], hasTools = false): Message[] {
  const { system, turns } = splitSystem(template, conversation)
  const note = hasTools ? template.withoutTools : undefined
  const text = [system, note].filter(Boolean).join('\n\n') || template.proposerSystem
  return text === '' ? turns : [{ role: 'system', content: text }, ...turns]
}

/** Messages of an aggregator: the proposals in the system message, then the conversation unchanged. */
export function aggregatorMessages(
  template: Template,
  conversation: Message[],
  proposals: ShownProposal[],
  hasTools = false,
): Message[] {
  const { system, turns } = splitSystem(template, conversation)
  const list = listProposals(template, proposals)
  const instruction = fill(template.aggregatorSystem, { proposals: list })
  const note = hasTools ? template.withoutTools : undefined
  return [{ role: 'system', content: [system, instruction, note].filter(Boolean).join('\n\n') }, ...turns]
}

/** Messages of a judge that picks one of the candidates by its number. */
export function judgeMessages(
  template: Template,
  conversation: Message[],
  candidates: ShownProposal[],
): Message[] {
  const { system, turns } = splitSystem(template, conversation)
  const wording = template.judgeSystem ?? (defaultTemplate.judgeSystem as string)
  const instruction = fill(wording, { candidates: listProposals(template, candidates) })
  return [{ role: 'system', content: [system, instruction].filter(Boolean).join('\n\n') }, ...turns]
}

function listProposals(template: Template, proposals: ShownProposal[]): string {
  const items = proposals.map(({ text, isCut }, i) =>
    fill(template.proposal, { number: String(i + 1), text: isCut ? text + (template.cutMark ?? '') : text }),
  )
  return items.join(template.separator)
}

/** The user's own system prompt (the system and developer messages at the head) and the turns after it. */
function splitSystem(template: Template, conversation: Message[]): { system: string; turns: Message[] } {
  const isHead = (m: Message) => m.role === 'system' || m.role === 'developer'
  const at = conversation.findIndex((m) => !isHead(m))
  const head = conversation.slice(0, at === -1 ? conversation.length : at)
  const system = template.keepUserSystem ? head.map(textOf).filter(Boolean).join('\n\n') : ''
  return { system, turns: conversation.slice(head.length) }
}

/** Fills in one pass: a value that has `{{…}}` itself stays as it is. */
function fill(wording: string, values: Record<string, string>): string {
  return wording.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole)
}
