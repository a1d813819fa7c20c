/** `aft data label`: an aggregator writes the target of each row. */
import { rmSync } from 'node:fs'
import { Command, Option } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { openLabelRows } from '../../../data/label.ts'
import { fileFormats } from '../../../data/sources/sources.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { describeHeldOut } from '../../../files/rows/read-records.ts'
import { writeJsonl } from '../../../lib/jsonl.ts'
import { readLabels } from '../../../run/label.ts'
import { type Part, shardOption, takePart } from '../option-types.ts'
import { addSharedFlags } from '../shared-flags.ts'
import { chooseTemplate } from '../trained-model.ts'
import { keepEqualOption } from './build-flags.ts'
import { addSamplingFlags, answersOf, type SamplingFlags, sampleLabels } from './sampling.ts'

interface LabelFlags extends SamplingFlags {
  format: string
  keepEqual?: boolean
  template?: string
  shard?: Part
}

const example = `
Example:
  $ aft data label proposed.jsonl --model http://127.0.0.1:8000/v1#llama -o labeled.jsonl`

/** Makes the command `aft data label`. */
export function labelCommand(): Command {
  const command = new Command('label')
    .argument('<sources...>', 'files or folders of rows with responses, as `aft data propose` writes them')
    .addHelpText('after', example)
    .addOption(
      new Option('--format <format>', 'what a record of the sources is')
        .choices(fileFormats)
        .default('responses'),
    )
    .addOption(keepEqualOption())
    .addOption(shardOption())
  return addSharedFlags(addSamplingFlags(command), ['template']).action(
    (paths: string[], flags: LabelFlags) =>
      label(paths, flags).catch((error) => {
        throw toCallersError(error)
      }),
  )
}

async function label(paths: string[], flags: LabelFlags): Promise<void> {
  const { output } = flags
  const { rows: all, count, without, heldOut } = await openLabelRows(paths, flags)
  if (heldOut.length > 0) console.error(describeHeldOut(heldOut))
  const rows = flags.shard ? await takePart(all, flags.shard) : all
  if (count === 0) {
    const got = without === 0 ? 'no row' : `${without} rows without a usable response`
    throw new UsageError(`${paths.join(', ')}: expected rows with responses, got ${got}; is --format right?`)
  }
  if (without > 0) console.error(`${without} rows have no usable response and are left out`)
  const template = await chooseTemplate(flags.template, flags.model, flags.config)
  const answers = answersOf(output)
  if (!(await sampleLabels(rows, flags, template, answers))) return
  async function* labeled() {
    for await (const { row, target } of readLabels(rows, answers)) {
      const { id, prompt: messages, responses } = row
      yield { id, messages, responses, target }
    }
  }
  await writeJsonl(output, labeled())
  rmSync(answers, { force: true })
}
