/** Finds the places of the proposals in an aggregator's messages, so that a trainer can trim them later. */
import { type Message, textOf } from '../core/provider/engine.ts'
import type { Template } from '../core/provider/template.ts'
import { aggregatorMessages, placeOfProposals } from '../core/templates.ts'

/**
 * Finds the text of each proposal in the message of `aggregatorMessages` that shows them (`placeOfProposals`).
 * It writes the message twice with one character per proposal, and compares: the proposals are at the places that differ.
 * @returns start and end of each proposal in UTF-16 code units; undefined if the template shows no proposals
 */
export function locateProposals(
  template: Template,
  conversation: Message[],
  texts: string[],
): [from: number, to: number][] | undefined {
  const write = (text: string) => {
    const messages = aggregatorMessages(
      template,
      conversation,
      texts.map(() => ({ text })),
    )
    return textOf(messages[placeOfProposals(template, messages)] as Message)
  }
  const [one, other] = [write('1'), write('2')]
  const places: number[] = []
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) places.push(at)
  if (places.length === 0) return undefined
  const times = places.length / texts.length
  let before = 0
  return texts.map((text, i) => {
    const from = (places[i * times] as number) + before
    before += times * (text.length - 1)
    return [from, from + text.length]
  })
}
