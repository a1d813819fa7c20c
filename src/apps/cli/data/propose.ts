/** `aft data propose`: a model writes several responses per prompt; a base model gets demonstrations. */
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { baseTemplate, readDemonstrations, readForBase, readProposed } from '../../../data/propose.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { readPrompts } from '../../../files/prompts.ts'
import { writeJsonl } from '../../../lib/jsonl.ts'
import { paperSettings } from '../../../plans/presets.ts'
import { makePlan } from '../../../plans/strategies.ts'
import { runPrompts } from '../../../run/run.ts'
import { whole } from '../option-types.ts'
import { chooseTemplate } from '../trained-model.ts'
import { addSamplingFlags, type SamplingFlags, sample } from './sampling.ts'

interface ProposeFlags extends SamplingFlags {
  proposals: number
  base?: boolean
  demonstrations?: string
}

/** Servers and scripts get the text as a message. They decide whether to use a chat template. */
const isElsewhere = /^(https?|openai|scripted):/

const example = `
Example:
  $ aft data propose prompts.jsonl --model smollm2 --proposals 4 -o proposed.jsonl`

/** Makes the command `aft data propose`. */
export function proposeCommand(): Command {
  const command = new Command('propose')
    .description('Have a model write several responses per prompt.')
    .argument('<prompts>', 'file of JSON lines, or of one JSON array, as for `aft run`')
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
  const { base: isBase = false, model, output, proposals: width, maxTokens, temperature, seed } = flags
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
  const prompts = () => (isBase ? readForBase(file, demonstrations) : readPrompts(file))
  const raw = (isBase && !isElsewhere.test(model)) || flags.raw
  const isDone = await sample({ ...flags, raw }, plan, (host) => runPrompts({ ...host, prompts, template }))
  if (!isDone) return
  let cuts = 0
  const onCut = () => cuts++
  await writeJsonl(output, readProposed(file, { journal: `${output}.journal`, isBase, onCut }))
  if (cuts > 0) console.error(`cut because the model began another question: ${cuts} responses`)
}
