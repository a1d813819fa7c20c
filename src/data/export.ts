/** Exports a data set in the forms of common trainers, or as Parquet. */
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { SchemaElement } from 'hyparquet'
import { type Message, textOf } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { readExamples, type Split } from '../files/examples.ts'
import { alternates } from '../files/loaders.ts'
import { needPackages } from '../files/optional-packages.ts'
import type { Example } from '../files/rows/row.ts'
import { toFileError } from '../lib/file-error.ts'
import { createFolder } from './result-folder.ts'

/** A form of the export: a trainer's own, or Parquet. */
export type Form = 'trl' | 'llama-factory' | 'axolotl' | 'parquet'

/** Keeps role and text of each turn. Trainers do not know other fields of a message, such as tool calls, nor developers. */
const toTurns = (messages: Message[]) =>
  messages.map((message) => ({
    role: message.role === 'developer' ? 'system' : message.role,
    content: textOf(message),
  }))

/**
 * Makes one `messages` list. LLaMA-Factory trains on the last turn alone if `mask_history` is set. It drops rows in which
 * user and assistant do not take turns, such as those of templates with their proposals at the tail.
 */
const toMessages = ({ id, prompt, completion }: Example) => {
  if (!alternates(prompt))
    throw new UsageError(
      `the user and the assistant do not take turns in the example "${id}", and LLaMA-Factory drops such rows: build the data with --template aft-1 if the proposals are in a turn of their own, or export with --to trl`,
    )
  return { messages: toTurns([...prompt, ...completion]) }
}

/** Makes a `messages` list with marks for axolotl: it trains on the completion and not on earlier answers. */
const toMarkedMessages = ({ prompt, completion }: Example) => ({
  messages: [
    ...toTurns(prompt).map((turn) => ({ ...turn, training: false })),
    ...completion.map((turn) => ({ ...turn, training: true })),
  ],
})

/** Makes a row with prompt and completion. TRL trains on the completion. */
const toPromptCompletion = ({ prompt, completion }: Example) => ({ prompt: toTurns(prompt), completion })

/** Makes a Parquet row, with the same fields in every row. The places of the proposals are left out. */
const toParquetRow = (example: Example) => ({
  ...example,
  ...toPromptCompletion(example),
  proposals: example.proposals.map(({ trimmedTo = null, span: _, at: __, ...proposal }) => ({
    ...proposal,
    trimmedTo,
  })),
})

/**
 * Writes the examples in a trainer's form, with the settings file that describes them to the trainer. If there are no
 * validation examples, it writes no validation file, because loaders fail on an empty one.
 * @returns the number of rows
 * @throws UsageError if `out` is not empty or the form cannot hold an example, DataError for a line that is not an example, FileError
 */
export async function exportFolder(from: string, out: string, form: Form): Promise<number> {
  if (form === 'parquet') needPackages('writing Parquet')
  const splits: Split[] = ['train', 'validation']
  const folder = createFolder(out, {
    files: form === 'parquet' ? [] : splits.map((split) => `${split}.jsonl`),
  })
  const toRow = form === 'trl' ? toPromptCompletion : form === 'axolotl' ? toMarkedMessages : toMessages
  const counts = { train: 0, validation: 0 }
  async function* examples(split: Split) {
    for await (const example of readExamples(from, split)) {
      counts[split]++
      yield example
    }
  }
  try {
    for (const split of splits) {
      const file = path.join(folder.path, `${split}.parquet`)
      if (form === 'parquet') await writeParquet(file, examples(split))
      else for await (const example of examples(split)) folder.write(`${split}.jsonl`, toRow(example))
    }
    const kept = splits.filter((split) => split === 'train' || counts[split] > 0)
    for (const [name, text] of Object.entries(settings[form](kept)))
      writeFileSync(path.join(folder.path, name), text)
    if (kept.length === 1) {
      for (const end of ['jsonl', 'parquet'])
        rmSync(path.join(folder.path, `validation.${end}`), { force: true })
    }
    folder.finish()
    return counts.train + counts.validation
  } catch (error) {
    folder.remove()
    throw toFileError(out, error)
  }
}

/** Limits memory: a folder of 64,000 examples has half a gigabyte. */
const ROWS_A_GROUP = 2_000

async function writeParquet(file: string, examples: AsyncIterable<Example>): Promise<void> {
  async function* rows() {
    for await (const example of examples) yield toParquetRow(example)
  }
  const { fileWriter, parquetWriteRows } = await import('hyparquet-writer')
  await parquetWriteRows({
    writer: fileWriter(file),
    rows: rows(),
    schema,
    rowGroupSize: ROWS_A_GROUP,
    columns: ['id', 'prompt', 'completion', 'source', 'proposals', 'template'].map((name) => ({ name })),
  })
}

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'REQUIRED',
})
const list = (name: string, fields: SchemaElement[]): SchemaElement[] => [
  { name, converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', num_children: fields.length },
  ...fields,
]
const schema: SchemaElement[] = [
  { name: 'root', num_children: 6 },
  text('id'),
  ...list('prompt', [text('role'), text('content')]),
  ...list('completion', [text('role'), text('content')]),
  text('source'),
  ...list('proposals', [
    text('model'),
    { name: 'onPolicy', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
    { name: 'trimmedTo', type: 'INT32', repetition_type: 'OPTIONAL' },
  ]),
  text('template'),
]

const llamaFactorySet = (file: string) => ({
  file_name: file,
  formatting: 'sharegpt',
  columns: { messages: 'messages' },
  tags: {
    role_tag: 'role',
    content_tag: 'content',
    user_tag: 'user',
    assistant_tag: 'assistant',
    observation_tag: 'tool',
    system_tag: 'system',
  },
})

const axolotlSet = (file: string) => `  - path: ${file}
    ds_type: json
    type: chat_template
    field_messages: messages
    message_property_mappings: { role: role, content: content }
    message_field_training: training
    roles_to_train: []
    train_on_eos: turn
`

const axolotl = (splits: Split[]) =>
  `chat_template: tokenizer_default
train_on_inputs: false
datasets:
${axolotlSet('train.jsonl')}${splits.length > 1 ? `test_datasets:\n${axolotlSet('validation.jsonl').replace('    ds_type', '    split: train\n    ds_type')}` : ''}`

const llamaFactory = (splits: Split[]) => {
  const sets = splits.map((split) => [
    split === 'train' ? 'aft' : 'aft_validation',
    llamaFactorySet(`${split}.jsonl`),
  ])
  return `${JSON.stringify(Object.fromEntries(sets), null, 2)}\n`
}

/** Lines to copy into a recipe of LLaMA-Factory. */
const llamaFactoryRecipe = (splits: Split[]) => `dataset_dir: .
dataset: aft
${splits.length > 1 ? 'eval_dataset: aft_validation\n' : ''}mask_history: true
`

/** Files to write next to the rows, by name. */
const settings: Record<Form, (splits: Split[]) => Record<string, string>> = {
  trl: () => ({}),
  'llama-factory': (splits) => ({
    'dataset_info.json': llamaFactory(splits),
    'dataset.yaml': llamaFactoryRecipe(splits),
  }),
  axolotl: (splits) => ({ 'dataset.yaml': axolotl(splits) }),
  parquet: () => ({}),
}
