/** A folder in the forms of the common trainers. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { textOf } from '../core/engine.ts'
import { readExamples, type Split } from './read-examples.ts'
import { createFolder } from './result-folder.ts'
import type { Example } from './row.ts'

export type Trainer = 'trl' | 'llama-factory' | 'axolotl'

/** One `messages` list, which LLaMA-Factory and axolotl both read. */
function toMessages({ prompt, completion }: Example): object {
  const turns = prompt.map((message) => ({ role: message.role, content: textOf(message) }))
  return { messages: [...turns, ...completion] }
}

/** Prompt and completion, which TRL trains on the completion of. */
function toPromptCompletion({ prompt, completion }: Example): object {
  return { prompt, completion }
}

/**
 * Writes `train.jsonl` and `validation.jsonl` in a trainer's form, with the file that tells it what they are.
 * @returns how many rows there are
 * @throws UsageError where `out` holds something
 */
export async function exportFolder(from: string, out: string, trainer: Trainer): Promise<number> {
  const folder = createFolder(out, { files: ['train.jsonl', 'validation.jsonl'] })
  let rows = 0
  try {
    for (const split of ['train', 'validation'] as Split[]) {
      for await (const example of readExamples(from, split)) {
        rows++
        folder.write(`${split}.jsonl`, trainer === 'trl' ? toPromptCompletion(example) : toMessages(example))
      }
    }
    for (const [name, text] of Object.entries(settings[trainer]))
      writeFileSync(path.join(folder.path, name), text)
    folder.finish()
    return rows
  } catch (error) {
    folder.remove()
    throw error
  }
}

const llamaFactorySet = (file: string) => ({
  file_name: file,
  formatting: 'sharegpt',
  columns: { messages: 'messages' },
  tags: {
    ...{ role_tag: 'role', content_tag: 'content' },
    ...{ user_tag: 'user', assistant_tag: 'assistant', system_tag: 'system' },
  },
})

const axolotl = `chat_template: tokenizer_default
train_on_inputs: false
datasets:
  - path: train.jsonl
    ds_type: json
    type: chat_template
    field_messages: messages
    message_property_mappings: { role: role, content: content }
    roles_to_train: ["assistant"]
    train_on_eos: turn
`

/** Files beside the rows. */
const settings: Record<Trainer, Record<string, string>> = {
  trl: {},
  'llama-factory': {
    'dataset_info.json': `${JSON.stringify({ aft: llamaFactorySet('train.jsonl'), aft_validation: llamaFactorySet('validation.jsonl') }, null, 2)}\n`,
  },
  axolotl: { 'dataset.yaml': axolotl },
}
