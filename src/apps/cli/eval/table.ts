/** `aft eval table`: trainings crossed with ways to answer, from the answers that evaluations kept. */
import { statSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import {
  type Evaluated,
  type MethodCell,
  type MethodsTable,
  tabulateMethods,
} from '../../../eval/methods-table.ts'
import { checkQuestion, type QuestionResult } from '../../../files/result-kinds.ts'
import { readWholeRecords } from '../../../files/rows/read-records.ts'
import { sanitize, stringifySafely } from '../render/sanitize.ts'
import { drawTable } from './results.ts'

const help = `
Each argument is a folder of \`aft eval gsm8k\`, ifeval or puzzles, or its questions.jsonl, packed (.gz) or not. NAME= says
what its column is called. A row is a way to answer; tests compare each cell with the first column's one answer, paired by
question. Holm: corrected for all tests of the table.

Example:
  $ aft eval table SFT=results/sft AFT=results/aft`

/** Makes the command `aft eval table`. */
export function tableCommand(): Command {
  return new Command('table')
    .argument('<results...>', 'folders of results or files of questions, as NAME=PATH or PATH')
    .option('--metric <name>', 'score to compare (default: the first of the task)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (places: string[], { metric, json }: { metric?: string; json?: boolean }) => {
      const table = tabulateMethods(await Promise.all(places.map(readEvaluated)), { metric })
      console.log(json ? stringifySafely(table) : sanitize(describeMethods(table)))
    })
}

async function readEvaluated(given: string): Promise<Evaluated> {
  const at = given.indexOf('=')
  const place = given.slice(at + 1)
  const file = findQuestions(place)
  const lines: QuestionResult[] = []
  for await (const { value, line } of readWholeRecords(file)) lines.push(checkQuestion(file, line, value))
  if (lines.length === 0) throw new UsageError(`${file}: has no questions`)
  return { name: at > 0 ? given.slice(0, at) : path.basename(place), lines }
}

function findQuestions(place: string): string {
  const names = ['', 'questions.jsonl', 'questions.jsonl.gz']
  const found = names
    .map((name) => path.join(place, name))
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
  if (found) return found
  throw new UsageError(`${place}: expected a folder of \`aft eval\` with questions.jsonl, or such a file`)
}

const percent = (share: number) => (100 * share).toFixed(1)

/** The table in lines. */
export function describeMethods({ metric, names, questions, seeds, rows, tests }: MethodsTable): string {
  const show = (cell: MethodCell | null) => {
    if (cell === null) return ['', '', '']
    const { low, high } = cell.interval
    const difference =
      cell.against && `${cell.against.difference < 0 ? '' : '+'}${percent(cell.against.difference)}`
    return [
      `${percent(cell.mean)} [${percent(low)}, ${percent(high)}]`,
      difference ?? '',
      cell.p_corrected === null ? '' : cell.p_corrected.toFixed(3),
    ]
  }
  const head = ['', ...names.flatMap((name) => [`${name} %`, '+-', 'Holm'])]
  const of = [...new Set(seeds)].join(' or ')
  return [
    `${metric}: ${questions} questions that all have, ${of} seed${of === '1' ? '' : 's'}; 95 % intervals; +- and Holm's p against ${names[0]}, one answer (${tests} tests)`,
    drawTable(
      head,
      rows.map(({ title, cells }) => [title, ...cells.flatMap(show)]),
    ),
  ].join('\n')
}
