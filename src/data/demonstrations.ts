/** A base model answers by continuing a text. The text has demonstrations first, then the question. */

/** A question with its answer, shown to a base model as a pattern to follow. */
export interface Demonstration {
  question: string
  answer: string
}

/** Written for this project. They show kinds of questions and a way to answer, not facts to copy. */
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

/** Stop strings. They end an answer when the model begins to invent the next question. */
export const demonstrationStops: string[] = [`\n${QUESTION}`, `\n${ANSWER}`]

/** Writes the text for a base model to continue. */
export function renderDemonstrations(question: string, demonstrations = defaultDemonstrations): string {
  const shown = demonstrations.map((d) => `${QUESTION}\n${d.question}\n\n${ANSWER}\n${d.answer}\n`)
  return `${shown.join('\n')}\n${QUESTION}\n${question}\n\n${ANSWER}\n`
}

/**
 * Returns the answer alone. It cuts the text at an invented next question or a copied heading, and removes unfinished
 * headings at the end.
 */
export function cutLeak(text: string): string {
  const at = text.search(/(^|\n)\s*(#+ *(Question|Answer)\b|(Question|Q|Human|User)\s*:)/i)
  return (at === -1 ? text : text.slice(0, at)).replace(/(\s*\n\s*#+)+\s*$/, '').trim()
}
