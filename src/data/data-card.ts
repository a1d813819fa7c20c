/** The data card says what is in a folder, where it came from, and how to make it again. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import type { BuildCounts, Reasons } from '../files/build-counts.ts'
import { templateFile } from '../files/template-file.ts'
import { builtInTemplates } from '../plans/wordings.ts'
import type { InputFile } from './inputs.ts'

/** How a data set was made: its sources, template and settings. */
export interface CardFacts {
  format: string
  inputs: InputFile[]
  template: Template
  /** Settings by name, in the order in which the card lists them. */
  settings: Record<string, string | number | boolean>
  /** License of the source, as the caller stated it. */
  license?: string
  hasSftTwin: boolean
  /** Files that were not read, because their names say test or validation. */
  heldOut?: string[]
  /** Which part of the rows this is, if it is one. */
  part?: { part: number; of: number }
}

/**
 * Writes the card as `README.md`. `namesOf` has the shards of a file. Its text does not depend on the time or on the folder's path. A template that is not
 * built in is written beside it: a model that is trained on the data takes it along.
 */
export function writeDataCard(
  folder: string,
  facts: CardFacts,
  counts: BuildCounts,
  namesOf: (file: string) => string[] = (file) => [file],
): void {
  writeFileSync(path.join(folder, 'README.md'), renderDataCard(facts, counts, namesOf))
  const { template } = facts
  if (builtInTemplates.some((known) => hashTemplate(known) === hashTemplate(template))) return
  writeFileSync(path.join(folder, templateFile), `${JSON.stringify(template, null, 2)}\n`)
}

function renderDataCard(facts: CardFacts, counts: BuildCounts, namesOf: (file: string) => string[]): string {
  const { inputs, template, settings, license, part, heldOut = [] } = facts
  const files = inputs.map(({ file, sha256 }) => [path.basename(file), sha256 ?? 'not a file'])
  const dropped = Object.values(counts.dropped).reduce((a, b) => a + b, 0)
  return [
    frontMatter(facts.hasSftTwin, counts, namesOf),
    '# Aggregation examples\n',
    'Each row asks for one answer from several proposals. `prompt` is what the aggregator gets at inference, ' +
      '`completion` is what it should write. Rows without proposals are plain examples.\n',
    part &&
      `This is part ${part.part} of ${part.of}. \`aft data merge\` joins the parts; prompts that nearly equal an earlier one are dropped then.\n`,
    `Source: ${facts.format}. License of the source: ${license ?? 'not stated; look it up before you share this'}.\n`,
    table(['file', 'SHA-256'], files),
    heldOut.length > 0 &&
      `Not read, because their names say test or validation: ${heldOut.map((file) => path.basename(file)).join(', ')}.\n`,
    table(
      ['what', 'rows'],
      [
        ['read', counts.read],
        ['train', counts.train],
        ['validation', counts.validation],
        ['plain examples among them', counts.plain],
        ['with trimmed proposals', counts.trimmed],
        ['dropped', dropped],
        ['broken', counts.bad],
      ],
    ),
    section('Why rows were dropped', counts.dropped),
    section('Why responses were not shown', counts.left),
    section('Proposals by model', counts.models),
    '## Made with\n',
    table(
      ['setting', 'value'],
      [...Object.entries(settings), ['template', template.id], ['template SHA-256', hashTemplate(template)]],
    ),
  ]
    .filter(Boolean)
    .join('\n')
}

/** Names the file of each split for loaders of the model hub's format. They reject a split without rows. */
function frontMatter(hasSftTwin: boolean, counts: BuildCounts, namesOf: (file: string) => string[]): string {
  const splits = (['train', 'validation'] as const).filter((split) => counts[split] > 0)
  if (splits.length === 0) return ''
  const pathOf = (file: string) =>
    namesOf(file).length === 1 ? file : file.replace(/\.jsonl$/, '-*-of-*.jsonl')
  const config = (name: string, folder: string) =>
    `- config_name: ${name}\n  data_files:\n` +
    splits.map((split) => `  - split: ${split}\n    path: ${pathOf(`${folder}${split}.jsonl`)}\n`).join('')
  const twin = hasSftTwin ? config('sft', 'sft/') : ''
  return `---\nconfigs:\n${config('default', '').replace('\n', '\n  default: true\n')}${twin}---\n`
}

function section(title: string, reasons: Reasons): string {
  const rows = Object.entries(reasons).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return rows.length === 0
    ? ''
    : `## ${title}\n\n${table([title === 'Proposals by model' ? 'model' : 'reason', 'count'], rows)}`
}

function table(head: string[], rows: unknown[][]): string {
  const line = (cells: unknown[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}
