/** Base models answer by continuing a text: demonstrations, then the question. */

/** A question with its answer, as a base model is shown it. */
export interface Demonstration {
  question: string
  answer: string
}

/** Of the project's own writing: kinds of questions and the manner of answering, not facts to copy. */
export const defaultDemonstrations: Demonstration[] = [
  {
    question: 'How can I keep basil alive on a windowsill?',
    answer:
      'Give it six hours of light a day and turn the pot every few days. Water when the top of the soil feels dry, and let what runs through drain away. Pick from the top, just above a pair of leaves: it then grows bushier instead of flowering.',
  },
  {
    question:
      'A box holds 24 jars. A shop orders 7 boxes, and 5 jars arrive broken. How many whole jars are there?',
    answer:
      'The boxes hold 7 * 24 = 168 jars.\nWithout the broken ones that leaves 168 - 5 = 163 jars.\n#### 163',
  },
  {
    question: 'Write two sentences for a thank-you card to a neighbour who fed my cat.',
    answer:
      'Thank you for looking after Miso while I was away; she is plainly fonder of you than before. I hope that I can soon do the same for you.',
  },
]

const QUESTION = '# Question'
const ANSWER = '# Answer'

/** What ends an answer: the model going on to invent the next question. */
export const demonstrationStops: string[] = [`\n${QUESTION}`, `\n${ANSWER}`]

/** The text that a base model is to continue. */
export function renderDemonstrations(question: string, demonstrations = defaultDemonstrations): string {
  const shown = demonstrations.map((d) => `${QUESTION}\n${d.question}\n\n${ANSWER}\n${d.answer}\n`)
  return `${shown.join('\n')}\n${QUESTION}\n${question}\n\n${ANSWER}\n`
}

/**
 * The answer alone: from an invented next question on, or a copied heading, nothing is kept, nor are headings at the
 * end that were begun and have no text.
 */
export function cutLeak(text: string): string {
  const at = text.search(/(^|\n)\s*(#+ *(Question|Answer)\b|(Question|Q|Human|User)\s*:)/i)
  return (at === -1 ? text : text.slice(0, at)).replace(/(\s*\n\s*#+)+\s*$/, '').trim()
}
