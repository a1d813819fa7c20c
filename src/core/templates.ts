/** The messages of each role. Inference, data and training all call these functions. */
import { type Message, textOf } from './provider/engine.ts'
import type { Template } from './provider/template.ts'

/** A proposal as an aggregator is shown it. */
export interface ShownProposal {
  text: string
  /** Whether it ended at its token limit. */
  isCut?: boolean
}

/** Messages of a proposer: the conversation, with the template's system message if the user does not have one. */
export function proposerMessages(template: Template, conversation: Message[], hasTools = false): Message[] {
  const note = hasTools ? template.withoutTools : undefined
  if (template.place === 'tail') return withTail(template, conversation, [note])
  const { system, turns } = splitSystem(template, conversation)
  const text = [system, note].filter(Boolean).join('\n\n') || template.proposerSystem
  return text === '' ? turns : [{ role: 'system', content: text }, ...turns]
}

/**
 * Messages of an aggregator: the conversation unchanged, and the proposals at the template's place.
 * @param options `hasTools` if others get the tools of the request; `at` is the number of messages that the proposals answer,
 * if turns of tools came since then: so the messages of one step begin with those of the step before
 */
export function aggregatorMessages(
  template: Template,
  conversation: Message[],
  proposals: ShownProposal[],
  { hasTools = false, at }: { hasTools?: boolean; at?: number } = {},
): Message[] {
  const list = listProposals(template, proposals)
  const instruction = fill(template.aggregatorSystem, { proposals: list })
  return atPlace(template, conversation, [instruction, hasTools ? template.withoutTools : undefined], at)
}

/** For templates that say nothing of judging. */
const JUDGE =
  'Below are candidate replies to the last user message of the conversation. Compare them for correctness, ' +
  'completeness and clarity. Reply with the number of the best one and nothing else.\n\nCandidates:\n{{candidates}}'

/** Messages of a judge that picks one of the candidates by its number. */
export function judgeMessages(
  template: Template,
  conversation: Message[],
  candidates: ShownProposal[],
): Message[] {
  const list = listProposals(template, candidates)
  return atPlace(template, conversation, [fill(template.judgeSystem ?? JUDGE, { candidates: list })])
}

/** Where `aggregatorMessages` puts the proposals: the index of their message. */
export function placeOfProposals({ place }: Template, messages: Message[]): number {
  return place === 'tail' ? endOfQuestion(messages) - 1 : 0
}

type Text = string | undefined

function atPlace(template: Template, conversation: Message[], texts: Text[], at?: number): Message[] {
  if (template.place === 'tail') return withTail(template, conversation, texts, at)
  const { system, turns } = splitSystem(template, conversation)
  return [{ role: 'system', content: [system, ...texts].filter(Boolean).join('\n\n') }, ...turns]
}

/**
 * The conversation as it is, then the texts as a user turn of their own. So all roles share a prefix, which engines and
 * providers read once. A reply that the client has begun stays the last turn.
 */
function withTail(template: Template, conversation: Message[], texts: Text[], at?: number): Message[] {
  const turns = openConversation(template, conversation)
  const content = texts.filter(Boolean).join('\n\n')
  if (content === '') return turns
  const end = at === undefined ? endOfQuestion(turns) : Math.max(0, turns.length - conversation.length + at)
  return turns.toSpliced(end, 0, { role: 'user', content })
}

/** The index after the last turn that is not the assistant's. */
function endOfQuestion(turns: Message[]): number {
  return turns.findLastIndex(({ role }) => role !== 'assistant') + 1
}

/** The conversation without blank system messages at its head, which many models refuse. */
function openConversation(template: Template, conversation: Message[]): Message[] {
  const { head, turns } = splitHead(conversation)
  const kept = template.keepUserSystem ? head.filter((m) => textOf(m).trim() !== '') : []
  if (kept.length > 0 || template.proposerSystem === '') return [...kept, ...turns]
  return [{ role: 'system', content: template.proposerSystem }, ...turns]
}

function listProposals(template: Template, proposals: ShownProposal[]): string {
  const items = proposals.map(({ text, isCut }, i) =>
    fill(template.proposal, { number: String(i + 1), text: isCut ? text + (template.cutMark ?? '') : text }),
  )
  return items.join(template.separator)
}

/** The user's own system prompt as one text, and the turns after it. */
function splitSystem(template: Template, conversation: Message[]): { system: string; turns: Message[] } {
  const { head, turns } = splitHead(conversation)
  const system = template.keepUserSystem ? head.map(textOf).filter(Boolean).join('\n\n') : ''
  return { system, turns }
}

/** The system and developer messages at the head of a conversation, and the turns after them. */
function splitHead(conversation: Message[]): { head: Message[]; turns: Message[] } {
  const at = conversation.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const end = at === -1 ? conversation.length : at
  return { head: conversation.slice(0, end), turns: conversation.slice(end) }
}

/** Fills in one pass: a value that has `{{…}}` itself stays as it is. */
function fill(wording: string, values: Record<string, string>): string {
  return wording.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole)
}
