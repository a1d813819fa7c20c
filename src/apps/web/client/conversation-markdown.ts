/** A conversation as Markdown: questions, answers, and the proposals behind them. */
import type { Conversation } from './conversation-file.ts'
import { nameOf } from './places.ts'
import { answerOf, type Member, type Turn } from './run.ts'

/** Writes a conversation as Markdown. A model's text stands as it is in answers, and as a quotation in proposals. */
export function toMarkdown({ title, time, about, turns }: Omit<Conversation, 'id'>): string {
  const head = [`# ${inline(title)}`, `aft, ${new Date(time).toISOString().slice(0, 10)}`, about]
  return `${[...head, ...turns.flatMap(turnParts)].filter(Boolean).join('\n\n')}\n`
}

function turnParts({ question, run }: Turn): string[] {
  const author = answerOf(run)
  const by = author?.engine ? ` by ${inline(author.engine)}` : ''
  const layers = author ? run.layers.slice(0, -1) : run.layers
  return [
    '## Question',
    quote(question),
    run.state === 'done' ? `## Answer${by}` : `## No whole answer${by}`,
    run.error ?? '',
    run.answer ?? '',
    ...run.degradedBecause.map((reason) => `*Degraded: ${inline(reason)}*`),
    ...layers.flatMap((layer, depth) =>
      layer.members.flatMap((member) => [
        `### ${nameOf(depth, member.index)}${factsOf(member)}`,
        quote(member.error ?? member.text),
      ]),
    ),
  ]
}

function factsOf({ engine, tokens, excluded, state }: Member): string {
  const facts = [engine && inline(engine), tokens !== undefined && `${tokens} tokens`, excluded]
  const shown = [...facts, state === 'failed' && 'failed'].filter(Boolean)
  return shown.length > 0 ? ` (${shown.join(', ')})` : ''
}

const quote = (text: string) => text.replace(/^/gm, '> ')
const inline = (text: string) => text.replace(/\s+/g, ' ').replace(/([\\`*_<[#])/g, '\\$1')
