/** Rows with one answer or none: prompts, instructions, chats; and rows that hold no question. */
import type { Message } from '../../core/provider/engine.ts'
import { type Fields, wrong } from '../rows/row.ts'
import { type Form, isGiven } from './form.ts'
import { readAnswer, readAsked } from './question.ts'

const single = (name: string, fields: string, fits: Form['fits']): Form => ({
  name,
  fields,
  fits,
  ask: (row) => readAsked(row).messages,
  target: readAnswer,
})

/** TRL's unpaired preferences: one answer with a thumb up or down. */
export const unpaired: Form = {
  ...single('KTO', '{prompt, completion, label: true or false}', (row) => findThumb(row) !== undefined),
  target: (row) => (findThumb(row) ? readAnswer(row) : undefined),
}

function findThumb({ completion, messages, label, kto_tag: tag }: Fields): boolean | undefined {
  const thumb = label ?? tag
  return (isGiven(completion) || isGiven(messages)) && typeof thumb === 'boolean' ? thumb : undefined
}

/** Forms with at most one answer. The last one takes all others, and names what a row lacks. */
export const singles: Form[] = [
  unpaired,
  single('ShareGPT', '{conversations: [{from, value}]}', (row) =>
    isGiven(row.conversations ?? row.conversation),
  ),
  single('Alpaca', '{instruction, input?, output?}', (row) => isGiven(row.instruction)),
  single('prompt and completion', '{prompt, completion}: texts or messages', (row) =>
    isGiven(row.completion),
  ),
  single('messages', '{messages}, an answer at their end or not', (row) =>
    isGiven(row.messages ?? row.query),
  ),
  single('question', '{prompt or question, answer?}', () => true),
]

const refuse = (name: string, fields: string, fits: Form['fits'], why: (row: Fields) => Error): Form => {
  const ask = (row: Fields): Message[] => {
    throw why(row)
  }
  return { name, fields, fits, ask }
}

/** Forms without a question of their own, each with what to do. */
export const refused: Form[] = [
  refuse(
    'batch results',
    '{custom_id, response or result}',
    (row) =>
      isGiven(row.custom_id) &&
      isGiven(row.response ?? row.result ?? row.error) &&
      !isGiven(row.body ?? row.params),
    ({ custom_id }) =>
      wrong(
        'a question, which results of a batch do not have: give its requests and its results to `aft data build --format batch`',
        { custom_id },
      ),
  ),
  refuse(
    'language modeling',
    '{text}',
    (row) => typeof row.text === 'string' && !hasQuestion(row),
    (row) =>
      wrong(
        'a question; `text` alone is for language modeling: split it into `prompt` and `completion`',
        Object.keys(row),
      ),
  ),
  refuse(
    'stepwise',
    '{prompt, completions: [step], labels}',
    ({ completions, labels }) => Array.isArray(completions) && Array.isArray(labels),
    (row) =>
      wrong(
        'whole answers; these `completions` are the steps of one: join them to `completion`',
        Object.keys(row),
      ),
  ),
]

const hasQuestion = (row: Fields) =>
  ['messages', 'query', 'prompt', 'instruction', 'question', 'conversations'].some((name) =>
    isGiven(row[name]),
  )
