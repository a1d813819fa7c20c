/** `aft data show` prints examples for a person; `aft data validate` checks them for a trainer. */
import path from 'node:path'
import { Command, Option } from 'commander'
import { textOf } from '../../../core/provider/engine.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import { readExamples, type Split, validateFolder } from '../../../files/examples.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import type { Example } from '../../../files/rows/row.ts'
import { whole } from '../option-types.ts'
import { sanitize } from '../render/sanitize.ts'

/** Makes the command `aft data show`. */
export function showCommand(): Command {
  return new Command('show')
    .argument('<folder>', 'folder that `aft data build` made')
    .addOption(whole('-n, --count <n>', 'examples to print', 1).default(1))
    .option('--id <id>', 'print the example with this id')
    .addOption(
      new Option('--split <split>', 'part of the data set').choices(['train', 'validation']).default('train'),
    )
    .addHelpText('after', '\nExample:\n  $ aft data show data -n 3')
    .action(show)
}

async function show(
  folder: string,
  { count, id, split }: { count: number; id?: string; split: Split },
): Promise<void> {
  let shown = 0
  try {
    for await (const example of readExamples(folder, split)) {
      if (id !== undefined && example.id !== id) continue
      console.log(describeExample(example))
      if (++shown === count) break
    }
  } catch (error) {
    throw toCallersError(error)
  }
  if (shown === 0) {
    const file = path.join(folder, `${split}.jsonl`)
    throw new UsageError(`${file} has no ${id === undefined ? 'example' : `example with the id "${id}"`}`)
  }
}

function describeExample({ id, prompt, completion, proposals, source, template }: Example): string {
  const models = proposals.map((p) => p.model + (p.trimmedTo === undefined ? '' : ` (cut to ${p.trimmedTo})`))
  const head = `═══ ${id} · ${source} · template ${template}${models.length > 0 ? ` · proposals: ${models.join(', ')}` : ' · plain'}`
  const turns = [...prompt, ...completion].map((m) => `─── ${m.role}\n${textOf(m)}`)
  return sanitize([head, ...turns, ''].join('\n'))
}

/** Makes the command `aft data validate`. */
export function validateCommand(): Command {
  return new Command('validate')
    .argument('<folder>', 'folder that `aft data build` made')
    .addHelpText('after', '\nExample:\n  $ aft data validate data')
    .action(async (folder: string) => {
      const { train, validation, notes } = await validateFolder(folder).catch((error) => {
        throw toCallersError(error)
      })
      for (const note of notes) console.error(`note: ${note}`)
      if (train === 0) console.error('note: trainers refuse a file without examples: train.jsonl is empty')
      console.log(`${folder} is whole: ${train} examples to train on, ${validation} to validate`)
    })
}
