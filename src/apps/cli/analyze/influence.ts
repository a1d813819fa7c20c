/** `aft analyze influence`: measures what the answers of a run owe to each of their proposals. */
import path from 'node:path'
import { Command } from 'commander'
import { casesOfJournal } from '../../../analyze/influence.ts'
import { type ConditionSummary, summarize } from '../../../analyze/perplexity.ts'
import { runPerplexity } from '../../../analyze/perplexity-run.ts'
import type { Engine } from '../../../core/provider/engine.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import { hashTemplate, type Template } from '../../../core/provider/template.ts'
import { type JournalContent, readRunJournal } from '../../../files/run-journal.ts'
import { readTemplate } from '../../../files/template-file.ts'
import { drawTable } from '../eval/results.ts'
import { runEvaluation } from '../eval/run-evaluation.ts'
import { describeOrigin, writeResult } from '../origin.ts'
import { addEngineFlags, addSharedFlags, type EngineFlags } from '../shared-flags.ts'

interface InfluenceFlags extends EngineFlags {
  output: string
  model: string
  template?: string
  limit?: number
  restart?: boolean
  json?: boolean
  progress: boolean
}

const help = `
Each answer is scored after what its aggregator saw, then without each proposal, with all in reverse order, and without any.
More nats per token: the answer is less likely so. Intervals are over answers, paired, 95 %, by bootstrap. -o is a folder:
result.json, with each answer's scores, and the journal. The same command resumes an interrupted run.

Example:
  $ aft run prompts.jsonl -o answers.jsonl --width 4 && aft analyze influence answers.jsonl.journal -m smollm2 -o influence`

/** Makes the command `aft analyze influence`. */
export function influenceCommand(): Command {
  const command = new Command('influence')
    .argument('<journal>', 'journal that `aft run` left, such as answers.jsonl.journal')
    .requiredOption('-o, --output <folder>', 'folder for the result and the journal')
    .requiredOption(
      '-m, --model <name>',
      'engine that scores, best the one that wrote the answers: an embedded one, or vLLM by its address',
    )
    .addHelpText('after', help)
    .action(influence)
  addEngineFlags(command, { without: ['concurrency', 'noStream'] })
  return addSharedFlags(command, ['config', 'template', 'limit', 'restart', 'json', 'progress'])
}

async function influence(file: string, flags: InfluenceFlags): Promise<void> {
  const { model, output, limit } = flags
  const run = await readRunJournal(file)
  const template = await templateOf(run, flags.template)
  const found = casesOfJournal(run, template)
  const cases = found.cases.slice(0, limit)
  if (cases.length === 0)
    throw new UsageError(`${file}: expected answers made from two proposals or more, got none`)
  await runEvaluation({
    flags: { ...flags, seed: 0, concurrency: 1 },
    engines: [model],
    journal: path.join(output, 'journal.jsonl'),
    item: 'answer',
    progress: 'answers scored',
    asked: cases.length,
    work: (engines, settings) => {
      const made = {
        of: 'answers',
        template: hashTemplate(template),
        raw: flags.raw ?? false,
        lora: flags.lora ?? null,
      }
      return runPerplexity({ ...settings, engine: engines[model] as Engine, cases, made })
    },
    countFinished: ({ scored }) => scored.length,
    async finish({ scored }, seconds) {
      const conditions = summarize(scored)
      const about = { task: 'influence', model, file, n: scored.length, left_out: found.leftOut }
      const result = { ...about, conditions, answers: scored, ...describeOrigin(), seconds }
      writeResult(output, result)
      return { result, text: `${model}: ${scored.length} answers\n${table(conditions)}` }
    },
  })
}

/** The template of a run. @throws UsageError if it is another one than the journal names */
async function templateOf({ file, header }: JournalContent, given: string | undefined): Promise<Template> {
  const { id, sha256 } = header.template
  const advice = `${file} was made with the template ${id}: name its file or folder with --template`
  const template = await readTemplate(given ?? id).catch((error: unknown) => {
    throw given === undefined ? new UsageError(advice) : error
  })
  if (hashTemplate(template) !== sha256) throw new UsageError(`${advice}, got another one`)
  return template
}

function table(conditions: ConditionSummary[]): string {
  const head = ['shown', 'perplexity', 'more nats per token', '95 %', 'less likely']
  const rows = conditions.map(({ condition, perplexity, difference, interval, lower }) => [
    condition,
    perplexity.toFixed(2),
    difference?.toFixed(3) ?? '',
    interval ? `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}` : '',
    lower === null ? '' : `${Math.round(100 * (1 - lower))} %`,
  ])
  return drawTable(head, rows)
}
