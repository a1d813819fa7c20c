/** `aft data propose`: a model writes several responses per prompt; a base model gets demonstrations. */
import { rmSync } from 'node:fs'
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { baseTemplate, readDemonstrations, readForBase, readProposed } from '../../../data/propose.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { readPrompts } from '../../../files/prompts.ts'
import { writeJsonl } from '../../../lib/jsonl.ts'
import { paperSettings } from '../../../plans/presets.ts'
import { makePlan } from '../../../plans/strategies.ts'
import { checkOut, runPrompts } from '../../../run/run.ts'
import { type Part, shardOption, takePart, whole } from '../option-types.ts'
import { chooseTemplate } from '../trained-model.ts'
import { addSamplingFlags, answersOf, type SamplingFlags, sample } from './sampling.ts'

interface ProposeFlags extends SamplingFlags {
  proposals: number
  base?: boolean
  demonstrations?: string
  shard?: Part
}

const example = `
Example:
  $ aft data propose prompts.jsonl --model smollm2 --proposals 4 -o proposed.jsonl`

/** Makes the command `aft data propose`. */
export function proposeCommand(): Command {
  const command = new Command('propose')
    .argument('<prompts>', 'file of JSON lines, a JSON array, CSV or Parquet, as for `aft run`')
    .addOption(shardOption())
    .addOption(whole('--proposals <n>', 'responses per prompt', 1).default(4))
    .option('--base', 'the model is a base model: show it demonstrations, and let it continue the text')
    .addHelpText('after', example)
    .option(
      '--demonstrations <file>',
      'JSON lines with question and answer, for --base (default: some of our own)',
    )
  return addSamplingFlags(command).action((file: string, flags: ProposeFlags) =>
    propose(file, flags).catch((error) => {
      throw toCallersError(error)
    }),
  )
}

async function propose(file: string, flags: ProposeFlags): Promise<void> {
  const { base: isBase = false, model, output, queue, proposals: width, maxTokens, temperature, seed } = flags
  if (flags.demonstrations !== undefined && !isBase) throw new UsageError('--demonstrations is for --base')
  const demonstrations = flags.demonstrations ? await readDemonstrations(flags.demonstrations) : undefined
  const template = isBase ? baseTemplate : await chooseTemplate(undefined, model, flags.config)
  const plan = makePlan({
    strategy: 'self-consistency',
    proposers: [model],
    width,
    maxTokens,
    temperature,
    topP: paperSettings.topP,
    seed,
    template: template.id,
  })
  const all = () => (isBase ? readForBase(file, demonstrations) : readPrompts(file))
  const prompts = flags.shard ? await takePart(all, flags.shard) : all
  // A script gets the text as a message.
  const raw = (isBase && !queue && !model.startsWith('scripted:')) || flags.raw
  if (isBase && queue) console.error('the workers open the model: for one on a server give them --raw')
  checkOut({ prompts: file, out: output })
  const answers = answersOf(output)
  const run = (host: Parameters<Parameters<typeof sample>[2]>[0]) =>
    runPrompts({ ...host, prompts, template })
  if (!(await sample({ ...flags, raw }, plan, run, answers))) return
  let cuts = 0
  const onCut = () => cuts++
  await writeJsonl(output, readProposed(file, { journal: `${output}.journal`, isBase, onCut }))
  rmSync(answers, { force: true })
  if (cuts > 0) console.error(`cut because the model began another question: ${cuts} responses`)
}
