/** `aft analyze convergence`: compares training curves by groups of runs with different seeds. */
import { Command, InvalidArgumentError } from 'commander'
import { readCurves, summarizeCurve } from '../../../analyze/convergence.ts'
import {
  compareGroups,
  type GroupFigure,
  type GroupSummary,
  summarizeGroup,
} from '../../../analyze/convergence-groups.ts'
import { describeRunFacts, readRunFacts } from '../../../analyze/run-facts.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import { figureTitles } from '../../../report/convergence-figures.ts'
import { drawTable } from '../eval/results.ts'
import { describeOrigin, writeResult } from '../origin.ts'
import { sanitize, stringifySafely } from '../render/sanitize.ts'

interface Group {
  group: string
  folders: string[]
}

interface ConvergenceFlags {
  group: Group[]
  output?: string
  json?: boolean
}

const help = `
Runs of a group should differ only in their seed. A group of several runs gets means with 95 % intervals (Student's t). If two
groups have equally many runs, the first runs are paired, the second ones, and so on. The improvement of a run is its first
validation loss minus its lowest one. The steps of half and of 90 % of it are interpolated between evaluations, so evaluate
often (eval_steps in the recipe). -o is a folder: result.json, which \`aft report\` draws.

Examples:
  $ aft analyze convergence runs/aft runs/sft -o curves
  $ aft analyze convergence --group aft=runs/aft-1,runs/aft-2 --group sft=runs/sft-1,runs/sft-2 -o curves`

/** Makes the command `aft analyze convergence`. */
export function convergenceCommand(): Command {
  return new Command('convergence')
    .argument('[runs...]', 'folders of `aft train`, each a group of its own')
    .option(
      '--group <name=folders>',
      'runs of one kind, such as aft=runs/1,runs/2; may be repeated',
      readGroup,
      [],
    )
    .option('-o, --output <folder>', 'folder for the result, which `aft report` shows')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(convergence)
}

function readGroup(text: string, before: Group[]): Group[] {
  const at = text.indexOf('=')
  const folders = text
    .slice(at + 1)
    .split(',')
    .filter((folder) => folder !== '')
  if (at < 1 || folders.length === 0) throw new InvalidArgumentError('expected NAME=FOLDER,FOLDER')
  if (before.some(({ group }) => group === text.slice(0, at)))
    throw new InvalidArgumentError('expected each name once')
  return [...before, { group: text.slice(0, at), folders }]
}

async function convergence(folders: string[], { group, output, json }: ConvergenceFlags): Promise<void> {
  const all = [...group.flatMap((g) => g.folders), ...folders]
  if (all.length === 0) throw new UsageError('expected folders of `aft train`, or --group NAME=FOLDER,FOLDER')
  const runs = readCurves(all).map(summarizeCurve)
  const grouped = all.length - folders.length
  const named = [...group, ...runs.slice(grouped).map(({ run }) => ({ group: run, folders: [run] }))]
  const groups = named.map((g, i) => {
    const from = named.slice(0, i).reduce((sum, { folders }) => sum + folders.length, 0)
    return summarizeGroup(g.group, runs.slice(from, from + g.folders.length))
  })
  const result = {
    task: 'convergence',
    n: runs.length,
    groups,
    differences: compareGroups(groups),
    settings: Object.fromEntries(
      await Promise.all(
        runs.map(async ({ run }, i) => [
          `run ${run}`,
          describeRunFacts(await readRunFacts(all[i] as string)),
        ]),
      ),
    ),
    ...describeOrigin(),
  }
  if (output) writeResult(output, result)
  if (json) console.log(stringifySafely(result))
  else console.log(sanitize(describe(groups, result.differences)))
}

/** Draws a table with a line per figure and a column per group. */
function describe(groups: GroupSummary[], differences: ReturnType<typeof compareGroups>): string {
  const heads = [
    ...groups.map(({ group, runs }) => (runs.length > 1 ? `${group} (${runs.length} runs)` : group)),
    ...differences.map(({ group, beside }) => `${group} minus ${beside}`),
  ]
  const lines = figureTitles.map(([name, title, digits]) => [
    title,
    ...[...groups, ...differences].map(({ figures }) => show(figures[name], digits)),
  ])
  return drawTable(['', ...heads], lines)
}

function show(figure: GroupFigure | null, digits: number): string {
  if (!figure) return 'not known'
  const { mean, interval } = figure
  const range = interval ? ` [${interval.low.toFixed(digits)}, ${interval.high.toFixed(digits)}]` : ''
  return `${mean.toFixed(digits)}${range}`
}
