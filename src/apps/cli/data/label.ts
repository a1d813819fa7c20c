/** `aft data label`: an aggregator writes the target of each row. */
import { Command, Option } from 'commander'
import { defaultTemplate } from '../../../core/templates.ts'
import { openLabelRows } from '../../../data/label.ts'
import { fileFormats } from '../../../data/sources/sources.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { readTemplate } from '../../../files/template-file.ts'
import { writeJsonl } from '../../../lib/jsonl.ts'
import { readLabels } from '../../../run/label.ts'
import { addSamplingFlags, type SamplingFlags, sampleLabels } from './sampling.ts'

interface LabelFlags extends SamplingFlags {
  format: string
  template?: string
}

/** Makes the command `aft data label`. */
export function labelCommand(): Command {
  const command = new Command('label')
    .description('Have a model write the aggregation of each row.')
    .argument('<sources...>', 'rows with responses')
    .addOption(new Option('--format <format>', 'what a record is').choices(fileFormats).default('responses'))
  command.option('--template <file>', 'wording of the roles, a JSON file')
  return addSamplingFlags(command).action((paths: string[], flags: LabelFlags) =>
    label(paths, flags).catch((error) => {
      throw toCallersError(error)
    }),
  )
}

async function label(paths: string[], flags: LabelFlags): Promise<void> {
  const { output } = flags
  const { rows, without } = await openLabelRows(paths, flags.format)
  if (without > 0) console.error(`${without} rows have no usable response and are left out`)
  const template = flags.template ? await readTemplate(flags.template) : defaultTemplate
  if (!(await sampleLabels(rows, flags, template))) return
  async function* labeled() {
    for await (const { row, target } of readLabels(rows, output)) {
      const { id, prompt: messages, responses } = row
      yield { id, messages, responses, target }
    }
  }
  await writeJsonl(output, labeled())
}
