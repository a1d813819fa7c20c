/** Turns that a chat template or a gateway refuses, written in another way without losing what they say. */
import { type Message, textOf } from '../../core/provider/engine.ts'
import {
  bareMessages,
  dropBlank,
  fillContent,
  joinTurns,
  mergeTurns,
  namesInText,
  partsAsText,
} from './turns.ts'
import { addReasoning, shortenIds, signCalls, textInResults, toolsAsText } from './turns-of-tools.ts'

/** A way to write messages. */
export type Rewrite =
  | 'signed-calls'
  | 'calls-as-text'
  | 'reasoning-back'
  | 'short-ids'
  | 'names-in-text'
  | 'parts-as-text'
  | 'no-null-content'
  | 'no-blank-system'
  | 'no-blank-turns'
  | 'tools-as-text'
  | 'text-in-results'
  | 'system-first'
  | 'merged-turns'
  | 'system-in-user'
  | 'bare-messages'

interface Rewriting {
  name: Rewrite
  /** What the refusal says. */
  words: RegExp
  /** What the warning says. */
  text: string
  /** The same array if there is nothing to rewrite. */
  rewrite(messages: Message[], hasTools: boolean): Message[]
}

const isSystem = ({ role }: Message) => role === 'system' || role === 'developer'

/** In the order in which they are tried: the first that the refusal may mean and that changes something. */
const rewritings: Rewriting[] = [
  {
    name: 'signed-calls',
    words: /thought_?signature/i,
    text: 'the model wants its signature with each call, and calls of others are sent with a mark in its place',
    rewrite: signCalls,
  },
  {
    name: 'calls-as-text',
    words: /thought_?signature|reasoning[ _]details/i,
    text: 'the model refuses calls of tools that it did not make, so they are sent as text',
    rewrite: toolsAsText,
  },
  {
    name: 'reasoning-back',
    words:
      /reasoning_content\b[^.]*(missing|required|passed back|must be)|missing[^.]{0,20}\breasoning_content/i,
    text: 'the model wants its reasoning back with its turns, and an empty text stands for what is not there',
    rewrite: addReasoning,
  },
  {
    name: 'short-ids',
    words:
      /^(?!.*(followed|response|preceding|corresponding|not found)).*(tool[_ ]?calls?(\[\d+\])?|tool_use|\bcall)[._ ]?ids?\b/is,
    text: 'the model refuses ids of calls that are not its own, so shorter ones are sent',
    rewrite: shortenIds,
  },
  {
    name: 'names-in-text',
    words: /\.name\b|property ['"`]?name\b|['"`]name['"`]|\bname: extra/i,
    text: 'the model refuses names of those who speak, so they stand in the text',
    rewrite: namesInText,
  },
  {
    name: 'parts-as-text',
    words: /(content|message).*(\bstr(ing)?\b|sequence|\bparts?\b|\barray\b|\blist\b)/is,
    text: 'the model takes content as one text only, so parts are joined',
    rewrite: partsAsText,
  },
  {
    name: 'no-null-content',
    words: /content\b.*(null|none|nil\b|string|required|missing)|(null|none|missing)\b.*content/is,
    text: 'the model wants a text in each turn, so an empty one is sent',
    rewrite: fillContent,
  },
  {
    name: 'no-blank-system',
    words:
      /non-?(whitespace|empty|blank)|(not|n't|cannot|can't) be (empty|blank)|is (empty|blank)|empty (text|content|message)|at least 1 char|min(imum)?[ _]?length/i,
    text: 'the model refuses a blank system message, so it is left out',
    rewrite: (messages) => {
      const kept = messages.filter((m) => !(isSystem(m) && textOf(m).trim() === ''))
      return kept.length === messages.length ? messages : kept
    },
  },
  {
    name: 'no-blank-turns',
    words:
      /non-?(whitespace|empty|blank)|(not|n't|cannot|can't) be (empty|blank)|is (empty|blank)|empty (text|content|message)/i,
    text: 'the model refuses turns that say nothing, so they are left out',
    rewrite: dropBlank,
  },
  {
    name: 'tools-as-text',
    words:
      /tool_use|tool_result|tool message|tool[_ ]calls?\b|tools ?= ?|toolConfig|toolUse|define tools|role[^.]{0,20}\btool\b|\btool\b[^.]{0,20} role|Only user/i,
    text: 'the model refuses turns of tools in a request without tools, so they are sent as text',
    rewrite: (messages, hasTools) => (hasTools ? messages : toolsAsText(messages)),
  },
  {
    name: 'text-in-results',
    words: /role ['"`]?user['"`]? after role ['"`]?tool|after[^.]{0,20}\btool\b|alternat/i,
    text: 'the model refuses a user right after a tool, so the text stands in the result of the tool',
    rewrite: textInResults,
  },
  {
    name: 'system-first',
    words:
      /system[^.]{0,60}(first|begin|start|head|top)|(first|begin|start)[^.]{0,40}system|system|developer/i,
    text: 'the model takes a system message at the head only, so it is moved there',
    rewrite: systemFirst,
  },
  {
    name: 'merged-turns',
    words: /alternat|consecutive|multiple .{0,12}roles? in a row|same role/i,
    text: 'the model refuses two turns of one role in a row, so they are joined',
    rewrite: mergeTurns,
  },
  {
    name: 'system-in-user',
    words:
      /system|developer|alternat|Only user|(must|should) (start|begin) with[^.]{0,12}user|first (message|turn)[^.]{0,20}user|(invalid|unknown|unsupported|unexpected)[^.]{0,12}role|role\b[^.]{0,20}(must be|one of)/i,
    text: "the model refuses system messages, so their text stands before the user's",
    rewrite: systemInUser,
  },
  {
    name: 'bare-messages',
    words:
      /message.*(extra (inputs|fields)|additional propert|unexpected|not permitted|unsupported|unknown|unrecogni[sz]ed|forbidden)|(extra (inputs|fields)|additional propert|unexpected|unknown|unrecogni[sz]ed).*message/is,
    text: 'the model refuses fields of messages that are not its own, so they are left out',
    rewrite: bareMessages,
  },
]

/** What a refusal in these words asks for; undefined if nothing that would change these messages. */
export function rewriteFor(words: string, messages: Message[], hasTools: boolean): Rewriting | undefined {
  return rewritings.find((r) => r.words.test(words) && r.rewrite(messages, hasTools) !== messages)
}

/** Rewrites messages; the same array if there is nothing to rewrite. */
export function rewriteMessages(name: Rewrite, messages: Message[], hasTools: boolean): Message[] {
  return rewritings.find((r) => r.name === name)?.rewrite(messages, hasTools) ?? messages
}

/** One system message with the text of all, before everything else. */
function systemFirst(messages: Message[]): Message[] {
  const systems = messages.filter(isSystem)
  if (systems.length === 0 || (systems.length === 1 && messages[0]?.role === 'system')) return messages
  return [{ role: 'system', content: joinTexts(systems) }, ...messages.filter((m) => !isSystem(m))]
}

/** The system's text at the head of the first user turn. */
function systemInUser(messages: Message[]): Message[] {
  const systems = messages.filter(isSystem)
  if (systems.length === 0) return messages
  const turns = messages.filter((m) => !isSystem(m))
  const text = joinTexts(systems)
  const head: Message = { role: 'user', content: text }
  const [first] = turns
  if (text.trim() === '') return turns
  return first?.role === 'user' ? [joinTurns(head, first), ...turns.slice(1)] : [head, ...turns]
}

function joinTexts(messages: Message[]): string {
  return messages
    .map(textOf)
    .filter((text) => text.trim() !== '')
    .join('\n\n')
}
