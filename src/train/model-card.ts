/** The model card says which model was trained on which rows, and how it went. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Checkpoint } from '../files/checkpoint.ts'
import { readLosses, readMetrics } from '../files/training-metrics.ts'
import type { Trained } from './run.ts'

/** Renders the card as Markdown. It does not depend on the time or on the folder's path. */
export function renderModelCard(trained: Trained, record: Checkpoint): string {
  const { recipe, base, folder, data, dataSha256, preflight } = trained
  const steps = readLosses(folder.file('metrics.jsonl'))
  const heldOut = readLosses(folder.file('eval.jsonl'))
  const [first, last] = [steps.at(0), steps.at(-1)]
  const tenth = Math.max(1, Math.round(steps.length / 10))
  const mean = (list: typeof steps) => list.reduce((sum, { loss }) => sum + loss, 0) / list.length
  const license = recipe.license ?? base.license
  const { data: _, ...knobs } = recipe
  return [
    `---\nbase_model: ${recipe.base}\nlibrary_name: ${recipe.method === 'lora' ? 'peft' : 'transformers'}\n---\n`,
    `# ${recipe.base}, tuned to ${recipe.rows === 'sft' ? 'answer' : 'aggregate proposals'}\n`,
    `${recipe.method === 'lora' ? 'A LoRA adapter' : 'All weights'} trained with \`aft train\` on ${rowsOf(recipe.rows)}${recipe.objective === 'grpo' ? ', by rewards of sampled answers (GRPO)' : ''}.\n`,
    `License of the base: ${license ?? 'not stated; look it up before you share this'}. ${licenseOfData(data)}\n`,
    '## How it went\n',
    '![loss](loss.svg)\n',
    table([
      ['what', 'value'],
      ['rows', preflight?.rows],
      ['tokens of the rows', preflight?.tokens],
      ['trained tokens among them', preflight?.trained],
      ['longest row, tokens', preflight?.longest],
      ['rows left out as too long', preflight?.dropped],
      ['rows with proposals cut to fit', preflight?.trimmed],
      ['updates', last?.step],
      ['tokens read', last?.tokens],
      ['seconds', last?.seconds === undefined ? undefined : Math.round(last.seconds)],
      ...rewardsOf(folder.file('metrics.jsonl')),
      ['loss, first tenth of the updates', first && mean(steps.slice(0, tenth)).toFixed(4)],
      ['loss, last tenth', last && mean(steps.slice(-tenth)).toFixed(4)],
      ['held-out loss, first', heldOut.at(0)?.loss.toFixed(4)],
      ['held-out loss, last', heldOut.at(-1)?.loss.toFixed(4)],
    ]),
    '## Made from\n',
    table([
      ['what', 'SHA-256'],
      ['rows', dataSha256],
      ['base (GGUF file)', record.base?.sha256 ?? base.gguf?.sha256],
      ['chat template', record.chatTemplateSha256],
      ...record.templates.map(({ id, sha256 }) => [`template ${id}`, sha256 ?? 'not in the data card']),
    ]),
    ...(preflight?.warnings.length
      ? ['Noticed before training:\n', ...preflight.warnings.map((w) => `- ${w}\n`)]
      : []),
    '## Recipe\n',
    table([['knob', 'value'], ...Object.entries(knobs).map(([key, value]) => [key, JSON.stringify(value)])]),
  ].join('\n')
}

/** Mean reward of the first and the last tenth of the updates, if the run learned from rewards. */
function rewardsOf(file: string): [string, string][] {
  const rewards = readMetrics(file).flatMap(({ reward }) => reward ?? [])
  if (rewards.length === 0) return []
  const tenth = Math.max(1, Math.round(rewards.length / 10))
  const mean = (list: number[]) => (list.reduce((sum, value) => sum + value, 0) / list.length).toFixed(4)
  return [
    ['reward, first tenth of the updates', mean(rewards.slice(0, tenth))],
    ['reward, last tenth', mean(rewards.slice(-tenth))],
  ]
}

function rowsOf(rows: Trained['recipe']['rows']): string {
  return {
    aft: 'rows with proposals',
    sft: 'rows without proposals',
    both: 'rows with and without proposals',
  }[rows]
}

function licenseOfData(data: string): string {
  const file = path.join(data, 'README.md')
  const found = existsSync(file) && /Licen[cs]e of the source: ([^\n]*)/.exec(readFileSync(file, 'utf8'))?.[1]
  return `License of the data: ${found || 'not stated.'}`
}

/** Writes a table. The first row is the head; rows with an undefined value are left out. */
function table(rows: unknown[][]): string {
  const line = (cells: unknown[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  const [head = [], ...body] = rows
  const shown = body.filter((row) => row[1] !== undefined)
  return `${[line(head), line(head.map(() => '---')), ...shown.map(line)].join('\n')}\n`
}
