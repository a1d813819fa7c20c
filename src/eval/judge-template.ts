/** The prompt of a judge of two outputs: from a file in the benchmark's form, or this project's own. */
import { createHash } from 'node:crypto'
import type { Message } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import { readText } from '../files/read-text.ts'

/** A template for a judge that answers with one letter: `m` for the output shown first, `M` for the second. */
export interface JudgeTemplate {
  id: string
  /** SHA-256 of the text, as lower-case hex. */
  sha256: string
  messages: Message[]
}

/** What the judge sees. */
export interface Pair {
  instruction: string
  /** In the order in which they are shown. */
  outputs: [string, string]
}

/** SHA-256 of AlpacaEval's own template, without its last line break. */
const OFFICIAL = '784227e6dc2832fc08c43d2c8ea3a308e7523780187a1aaad2f85e30bac85f62'
const MARKS = ['instruction', 'output_1', 'output_2']

const ownText = `<|im_start|>system
You compare two answers to the same instruction and name the better one.
<|im_end|>
<|im_start|>user
# Instruction
{instruction}

# Answer "m"
{output_1}

# Answer "M"
{output_2}

Which answer would a careful person rather have, m or M? Correctness comes first, then whether it does what was asked,
then clarity; being longer is no merit. Reply with the one letter m or M and nothing else.
<|im_end|>`

/** The project's own template. A score made with it cannot be compared with the benchmark's published scores. */
export const ownJudgeTemplate: JudgeTemplate = { ...parse('own wording', ownText), id: 'aft-judge-1' }

/**
 * Reads a template: ChatML (`<|im_start|>role … <|im_end|>`), or plain text as one user message.
 * @throws DataError if it lacks one of `{instruction}`, `{output_1}`, `{output_2}`; FileError
 */
export async function readJudgeTemplate(file: string): Promise<JudgeTemplate> {
  return parse(file, readText(file))
}

function parse(file: string, text: string): JudgeTemplate {
  const trimmed = text.trim()
  for (const mark of MARKS) {
    if (trimmed.includes(`{${mark}}`)) continue
    throw new DataError(file, undefined, `expected a judge's template with {${mark}}, which is missing`)
  }
  const sha256 = createHash('sha256').update(trimmed).digest('hex')
  const id = sha256 === OFFICIAL ? 'alpaca_eval_clf_gpt4_turbo' : (file.split(/[\\/]/).at(-1) as string)
  return { id, sha256, messages: toMessages(file, trimmed) }
}

function toMessages(file: string, text: string): Message[] {
  if (!text.startsWith('<|im_start|>')) return [{ role: 'user', content: text }]
  return text
    .split('<|im_start|>')
    .slice(1)
    .map((part) => {
      const [head = '', ...rest] = part.split('\n')
      const role = head.trim()
      if (role !== 'system' && role !== 'user' && role !== 'assistant') {
        throw new DataError(
          file,
          undefined,
          `expected the role system, user or assistant, got ${JSON.stringify(role)}`,
        )
      }
      return { role, content: (rest.join('\n').split('<|im_end|>')[0] as string).trim() }
    })
}

/** Fills in the messages for one pair, in one pass: an output that contains `{output_2}` stays unchanged. */
export function judgeMessages({ messages }: JudgeTemplate, { instruction, outputs }: Pair): Message[] {
  const values: Record<string, string> = { instruction, output_1: outputs[0], output_2: outputs[1] }
  return messages.map((message) => ({
    ...message,
    content: String(message.content).replace(
      /\{(instruction|output_1|output_2)\}/g,
      (_, mark) => values[mark] ?? '',
    ),
  }))
}
