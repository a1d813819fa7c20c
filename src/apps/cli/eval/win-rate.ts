/** `aft eval win-rate`: computes win rates from existing annotations. */
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { readAnnotations } from '../../../eval/annotations.ts'
import { readLengthControls } from '../../../eval/length-controls.ts'
import { computeWinRate, type WinRate } from '../../../eval/win-rate.ts'
import { describeOrigin, writeResult } from '../origin.ts'
import { sanitize, stringifySafely } from '../render/sanitize.ts'
import { addOfficialFlag, findOfficial, type OfficialFlags } from './official.ts'

interface WinRateFlags extends OfficialFlags {
  annotations: string
  output?: string
  gamed?: string
  instructionDifficulty?: string
  json?: boolean
}

const help = `
With both files of the benchmark, named or downloaded by --official, the length-controlled rate is the published one ("full").
Without them it is a simpler one ("minimal"), which is no substitute: on known systems it differs by 6.6 points on average.

Example:
  $ aft eval win-rate --annotations annotations.json --official`

/** Makes the command `aft eval win-rate`. */
export function winRateCommand(): Command {
  const command = new Command('win-rate')
    .requiredOption(
      '--annotations <file>',
      'JSON array of rows with output_1, output_2 and preference, as a judge left them',
    )
    .option('--gamed <file>', "the benchmark's df_gamed.csv, for the length-controlled rate")
    .option('--instruction-difficulty <file>', "the benchmark's instruction_difficulty.csv, for the same")
    .option('-o, --output <folder>', 'folder for the result, which `aft report` shows')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
  return addOfficialFlag(command).action(winRate)
}

async function winRate({
  annotations,
  json,
  output,
  gamed,
  instructionDifficulty,
  official,
}: WinRateFlags): Promise<void> {
  const find = (given: string | undefined, what: 'gamed' | 'instruction-difficulty') =>
    findOfficial(given, 'alpaca-eval', what, { official })
  const files = {
    gamed: await find(gamed, 'gamed'),
    instructionDifficulty: await find(instructionDifficulty, 'instruction-difficulty'),
  }
  const result = await scoreAnnotations(annotations, files)
  if (output) writeResult(output, toResult(result, { settings: { annotations, ...files } }))
  for (const warning of result.warnings) console.error(`warning: ${annotations}: ${warning}`)
  console.log(json ? stringifySafely(result) : sanitize(describeWinRate(result)))
}

/**
 * Reads annotations and the two files of the benchmark, and computes the rates.
 * @throws UsageError if only one of the two files is given, DataError for a wrong row
 */
export async function scoreAnnotations(
  annotations: string,
  { gamed, instructionDifficulty }: Pick<WinRateFlags, 'gamed' | 'instructionDifficulty'>,
): Promise<WinRate> {
  if ((gamed === undefined) !== (instructionDifficulty === undefined)) {
    const [has, lacks] = gamed
      ? ['--gamed', '--instruction-difficulty']
      : ['--instruction-difficulty', '--gamed']
    throw new UsageError(`${has} needs ${lacks}: give both for the full rate, or neither for the minimal one`)
  }
  const controls =
    gamed && instructionDifficulty ? await readLengthControls(gamed, instructionDifficulty) : undefined
  return computeWinRate(await readAnnotations(annotations), controls)
}

interface Judging {
  settings: Record<string, unknown>
  /** Present if the same run judged the pairs. */
  judge?: { template: string; template_sha256: string; failed: number; [more: string]: unknown }
}

/** Makes `result.json`: the rates, and how they were made. If there are only annotations, only the judge's name is known. */
export function toResult(rates: WinRate, { settings, judge }: Judging): object {
  return {
    task: 'alpaca-eval',
    model: rates.generator,
    ...rates,
    asked: rates.n + rates.dropped_rows.length + (judge?.failed ?? 0),
    judge: judge ?? null,
    template: judge ? { id: judge.template, sha256: judge.template_sha256 } : null,
    settings,
    ...describeOrigin(),
  }
}

/** Writes the rates as lines for a person. */
export function describeWinRate(result: WinRate): string {
  const rate = (value: number, error: number) => `${value.toFixed(2)} ± ${error.toFixed(2)}`
  const { n, dropped_rows: dropped, variant } = result
  return [
    `${result.generator} beside ${result.baseline}`,
    `win rate                    ${rate(result.win_rate, result.standard_error)}`,
    `length-controlled win rate  ${rate(result.lc_win_rate, result.lc_standard_error)}  (${variant})`,
    `mean length                 ${Math.round(result.mean_length_chars)} characters, the baseline's ${Math.round(result.baseline_mean_length_chars)}`,
    `rows                        ${n}${dropped.length > 0 ? `, ${dropped.length} dropped: ${dropped.slice(0, 10).join(', ')}${dropped.length > 10 ? ', …' : ''}` : ''}`,
    `judge                       ${result.annotators.join(', ') || 'not named'}`,
  ].join('\n')
}
