/** The flags of `aft data build` in groups, and the options of the build that they set. */
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { type Command, Option } from 'commander'
import type { BuildOptions } from '../../../data/build.ts'
import type { CardFacts } from '../../../data/data-card.ts'
import { formats } from '../../../data/sources/sources.ts'
import { readVersion } from '../../../lib/version.ts'
import { bytes, type Part, shardOption, share, whole } from '../option-types.ts'
import { sharedFlag } from '../shared-flags.ts'
import { nameTarget, type TargetFlags, targetOptions } from './target.ts'

/** Flags that equal options of the build. */
type SameFlags = Pick<
  BuildOptions,
  'proposals' | 'minProposals' | 'seed' | 'maxPromptChars' | 'minTargetChars' | 'maxTargetChars' | 'restart'
>

/** The flags of the command line. */
export interface BuildFlags extends SameFlags, TargetFlags {
  output: string
  format: string
  problems: number
  puzzles?: string
  choose: BuildOptions['chooseBy']
  keepEqual?: boolean
  onPolicy?: string
  maxExampleTokens?: number
  tokenizer?: string
  tooLong: 'trim' | 'drop'
  languages?: string
  decontaminate: string
  benchmarks?: string
  nearDuplicates: boolean
  plain: number
  sftTwin?: boolean
  validation: number
  maxBad: number
  template?: string
  license?: string
  shardSize: number
  shard?: Part
  readThreads: number
}

/** How a part was built: what a merge needs to know, the same in all parts. */
export interface Made {
  flags: BuildFlags
  isMade: boolean
  version: string
  facts: Omit<CardFacts, 'part'>
}

/** Notes how a part was built, without the flags that may differ between machines. */
export function toMade(
  { output: _, restart: __, readThreads: ___, shard: ____, ...flags }: BuildFlags,
  { isMade }: { isMade: boolean },
  facts: Made['facts'],
) {
  const inputs = facts.inputs.map((input) => ({ ...input, file: path.basename(input.file) }))
  return {
    flags,
    isMade,
    version: readVersion(),
    facts: { ...facts, inputs, heldOut: facts.heldOut?.map((file) => path.basename(file)) },
  }
}

/** The flags that only this command has, by their headings in the help. */
const groups: Record<string, () => Option[]> = {
  'Targets:': targetOptions,
  'Proposals:': proposalOptions,
  'Length:': lengthOptions,
  'Dropped rows:': droppedOptions,
  'What is written:': writtenOptions,
}

/** Adds the flags to the command. */
export function addBuildFlags(command: Command): Command {
  for (const option of commonOptions()) command.addOption(option)
  for (const [heading, make] of Object.entries(groups)) {
    for (const option of make()) command.addOption(option.helpGroup(heading))
  }
  return command
}

/** Other commands have these, too: their headings are those of all commands. */
function commonOptions(): Option[] {
  return [
    new Option('-o, --output <folder>', 'folder for the examples').makeOptionMandatory(),
    new Option('--format <format>', 'what a record of the sources is').choices(formats).default('responses'),
    ...madeOptions(),
    new Option(
      '--restart',
      'replace the data set in the folder, or an interrupted build of it; targets that an engine wrote are kept',
    ),
    shardOption(),
    share('--max-bad <share>', 'share of the records that may be broken; they are skipped').default(0.05),
    threadsOption(),
    sharedFlag('template'),
    whole('--seed <n>', 'same seed, same examples', 0).default(0),
  ]
}

/** `--keep-equal` of `data build` and `data label`. */
export const keepEqualOption = () =>
  new Option(
    '--keep-equal',
    'also show responses that equal the target or one another: for tasks with one right answer',
  )

function proposalOptions(): Option[] {
  return [
    whole('--proposals <n>', 'most proposals per example', 1).default(5),
    whole('--min-proposals <n>', 'drop rows with fewer proposals', 1).default(2),
    chooseOption(),
    keepEqualOption(),
    new Option(
      '--on-policy <model>',
      'name of the model to be tuned, as the rows have it: its responses are marked as on-policy',
    ),
  ]
}

function lengthOptions(): Option[] {
  return [
    whole('--max-example-tokens <n>', 'most tokens of prompt and completion together; needs --tokenizer', 1),
    new Option('--tokenizer <model>', 'engine that counts tokens: the model to be tuned'),
    new Option('--too-long <what>', 'examples with more tokens: trim their proposals, or drop them')
      .choices(['trim', 'drop'])
      .default('trim'),
    whole('--max-prompt-chars <n>', 'drop rows with longer prompts', 1),
    whole('--min-target-chars <n>', 'drop rows with shorter targets', 1),
    whole('--max-target-chars <n>', 'drop rows with longer targets', 1),
  ]
}

function droppedOptions(): Option[] {
  return [
    new Option(
      '--languages <codes>',
      'keep only rows whose prompt and target are in one of these languages, such as en,de',
    ),
    new Option(
      '--decontaminate <sets>',
      'drop prompts of these benchmarks: all, none, or some of alpaca-eval,mt-bench,gsm8k-test,ifeval',
    ).default('all'),
    new Option('--benchmarks <folder>', 'drop the prompts of further benchmarks too: a folder of files'),
    new Option('--no-near-duplicates', 'keep prompts that are nearly the same as an earlier one'),
  ]
}

function writtenOptions(): Option[] {
  return [
    share('--plain <share>', 'share of the rows that also give an example without proposals').default(0),
    new Option(
      '--sft-twin',
      'also write sft/: the same rows without proposals, to train a twin for comparison',
    ),
    share('--validation <share>', 'share of the prompts that go to validation').default(0.05),
    bytes('--shard-size <size>', 'largest file of examples; more become several files').default(5e8, '500MB'),
    new Option('--license <text>', "the source's license, for the data card"),
  ]
}

const chooseOption = () =>
  new Option(
    '--choose <by>',
    'which responses, if a row has more: random ones, of many models, from the worst to the best score (quality), or least alike (diversity)',
  )
    .choices(['random', 'models', 'quality', 'diversity'])
    .default('models')

const threadsOption = () =>
  whole(
    '--read-threads <n>',
    'CPU threads that read large files of JSON lines; the result does not depend on it',
    1,
  ).default(Math.min(4, availableParallelism()), 'one per core, at most 4')

const MOST_BETWEEN_CHECKPOINTS = 256e6

/** Turns the flags into options of the build. */
export function optionsOf(flags: BuildFlags, { isMade }: { isMade: boolean }) {
  const { proposals, minProposals, seed, maxPromptChars, minTargetChars, maxTargetChars, restart } = flags
  return {
    proposals,
    minProposals,
    seed,
    maxPromptChars,
    minTargetChars,
    maxTargetChars,
    restart,
    source: flags.format,
    out: flags.output,
    shardBytes: flags.shardSize,
    checkpointBytes: Math.min(flags.shardSize, MOST_BETWEEN_CHECKPOINTS),
    chooseBy: flags.choose,
    keepsEqual: flags.keepEqual,
    onPolicyModel: flags.onPolicy,
    // Rows that the program makes are similar on purpose.
    dropsNearDuplicates: flags.nearDuplicates && !isMade,
    plainShare: flags.plain,
    hasSftTwin: flags.sftTwin ?? false,
    validationShare: flags.validation,
    maxBadShare: flags.maxBad,
    isPart: flags.shard !== undefined,
  } satisfies Partial<BuildOptions>
}

/** The flags of formats whose rows are made here. */
function madeOptions(): Option[] {
  return [
    whole('--problems <n>', 'problems to make, for --format arithmetic or puzzles', 1).default(1000),
    new Option(
      '--puzzles <kinds>',
      'kinds of puzzles to make, such as routes:choices=3,parts=2+sums; docs/data.md has all',
    ),
  ]
}

/** Returns the settings for the data card: all flags without the paths of files. */
export function settingsOf(
  flags: BuildFlags,
  { isMade }: { isMade: boolean },
): Record<string, string | number | boolean> {
  const {
    output,
    restart,
    template,
    license,
    benchmarks,
    readThreads,
    shardSize,
    shard,
    problems,
    ...named
  } = flags
  const { target, targetFile, targetModel, ...shown } = named
  const settings = { ...shown, target: nameTarget(flags), ...(isMade && { problems }) }
  return settings as unknown as Record<string, string | number | boolean>
}
