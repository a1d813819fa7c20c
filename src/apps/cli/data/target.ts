/** The flags of `aft data build` that decide where targets come from. */
import path from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import type { BuildOptions, Target } from '../../../data/build.ts'
import { whole } from '../option-types.ts'

/** The target flags. At most one of the first three is set. */
export interface TargetFlags {
  target?: 'gold' | 'best'
  targetFile?: string
  targetModel?: string
  targetMaxTokens?: number
  targetSeed?: number
}

/** Makes the target flags. */
export function targetOptions(): Option[] {
  const source = new Option(
    '--target <which>',
    "what is learned: gold is the source's own answer, best the response with the best score",
  )
  const file = new Option(
    '--target-file <file>',
    'take the targets from this file: rows with a target, or the outputs of a system',
  )
  return [
    source.default(undefined, 'gold').argParser(readSource).conflicts(['targetFile', 'targetModel']),
    file.conflicts('targetModel'),
    new Option('--target-model <name>', 'engine that writes the targets'),
    whole('--target-max-tokens <n>', 'most tokens of a target, for --target-model', 1).default(
      undefined,
      '1024',
    ),
    whole('--target-seed <n>', 'seed of the targets, for --target-model', 0).default(undefined, '--seed'),
  ]
}

function readSource(text: string): string {
  if (text === 'gold' || text === 'best') return text
  throw new InvalidArgumentError('expected gold or best (a file: --target-file; an engine: --target-model)')
}

/** Names the origin of the targets for the data card, without the path of a file. */
export function nameTarget({ target = 'gold', targetFile, targetModel }: TargetFlags): string {
  if (targetModel !== undefined) return `an engine: ${path.basename(targetModel).split('#').at(-1)}`
  return targetFile === undefined ? target : 'a file'
}

function warn(file: string, [blank, repeated]: [number, number]): void {
  if (blank > 0) console.error(`${blank} targets of ${file} are blank and skipped`)
  if (repeated > 0)
    console.error(
      `${repeated} targets of ${file} are other answers to a prompt that has one; the first counts`,
    )
}

/** The file of the targets that an engine writes for the data set `output`. */
export const targetsOf = (output: string) => `${output.replace(/[\\/]+$/, '')}.targets.jsonl`

/** Sampling of engines, the same as in `aft data label`. */
const TEMPERATURE = 0.7
const MAX_TOKENS = 1024

/**
 * Finds the targets of a build. An engine's targets are kept in `OUT.targets.jsonl.journal` and not asked for again.
 * @returns undefined if not every row was tried
 */
export async function findTarget(
  flags: TargetFlags & { output: string; seed: number },
  options: Omit<BuildOptions, 'rows' | 'target'>,
  source: { read: () => BuildOptions['rows']; files: string[] },
): Promise<Target | undefined> {
  const { target = 'gold', targetFile, targetModel: model, targetMaxTokens, targetSeed, seed } = flags
  if (model === undefined) {
    if (targetMaxTokens !== undefined || targetSeed !== undefined)
      throw new UsageError('--target-max-tokens and --target-seed are for --target-model')
    if (targetFile === undefined) return target
    const { readTargets } = await import('../../../data/target.ts')
    return readTargets(targetFile, (...counts) => warn(targetFile, counts))
  }
  if (source.files.includes('-'))
    throw new UsageError('--target-model reads the rows twice: give them as a file, not as standard input')
  const output = targetsOf(flags.output)
  const sampling = {
    output,
    model,
    maxTokens: targetMaxTokens ?? MAX_TOKENS,
    temperature: TEMPERATURE,
    seed: targetSeed ?? seed,
  }
  const { askTargets } = await import('../../../data/target.ts')
  const { sampleLabels } = await import('./sampling.ts')
  return askTargets({ ...options, rows: source.read() }, output, (rows) =>
    sampleLabels(rows, sampling, options.template),
  )
}
