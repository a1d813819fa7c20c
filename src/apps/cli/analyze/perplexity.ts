/** `aft analyze perplexity`: how expected targets are, by what the model is shown before them. */
import { createHash } from 'node:crypto'
import path from 'node:path'
import { Command, Option } from 'commander'
import {
  type CaseScore,
  type ConditionSummary,
  type ScoredCase,
  scoreTarget,
  summarise,
  type TargetScore,
} from '../../../analyze/perplexity.ts'
import type { Engine } from '../../../core/provider/engine.ts'
import { defaultTemplate, hashTemplate } from '../../../core/templates.ts'
import { sources } from '../../../data/sources/sources.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { endOf, openTaskJournal, runTask, type TaskHeader } from '../../../files/task-journal.ts'
import { readEngineFlags, readVersion, whole, withEngine } from '../eval/flags.ts'
import { createEvalReporter } from '../eval/progress.ts'
import { drawTable } from '../eval/results.ts'
import { watchInterrupts } from '../interrupt.ts'
import { describeOrigin, writeResult } from '../origin.ts'
import { sanitise } from '../render/sanitize.ts'
import { type RowFlags, readCases } from './perplexity-rows.ts'

interface PerplexityFlags extends RowFlags {
  output: string
  model: string
  limit?: number
  threads?: number
  lora?: string
  raw?: boolean
  restart?: boolean
  json?: boolean
  progress: boolean
}

const help = `
Of a folder that \`aft data build\` made, the validation examples are scored: without proposals, with their own, and with
those of another question. Without proposals the prompt is that of the SFT twin (sft/), where there is one. Of rows with
responses (--format, as in \`aft data build\`), as many proposals as --proposals says are shown, three of them, one, none,
and as many of another question.

Perplexity is over all tokens; differences are means over examples, in nats a token, paired, with bootstrap intervals of
95 %. -o is a folder: result.json, which \`aft report\` draws, and the journal. Interrupted, the same command goes on;
another --limit takes what is there along.

Examples:
  $ aft analyze perplexity data --model smollm2 -o perplexity
  $ aft analyze perplexity outputs --format alpaca-eval --target Together-MoA.json --most-chars 6000 --model smollm2 -o p`

/** The subcommand. */
export function perplexityCommand(): Command {
  return new Command('perplexity')
    .description('How expected targets are, by the proposals before them.')
    .argument(
      '<sources...>',
      'a folder of `aft data build` or one of its files; with --format files or folders',
    )
    .requiredOption('-o, --output <folder>', 'where the result and the journal go')
    .requiredOption('-m, --model <name>', 'an engine that scores: an embedded one')
    .addOption(
      new Option('--format <format>', 'what a record is')
        .choices(['examples', ...Object.keys(sources)])
        .default('examples'),
    )
    .option(
      '--target <from>',
      'gold (of the source), best (by score) or a file of answers by prompt; with --format',
    )
    .addOption(
      whole('--proposals <n>', 'shown at most; rows with fewer are left out; with --format', 1).default(5),
    )
    .addOption(whole('--most-chars <n>', 'leave out rows whose target and proposals have more', 1))
    .addOption(whole('--limit <n>', 'only the first rows', 1))
    .addOption(whole('--threads <n>', 'CPU threads of an embedded model', 1))
    .option('--lora <file>', 'GGUF adapter for it')
    .option('--raw', 'for base models without a chat template')
    .option('--restart', 'put the journal of an earlier run aside and begin anew')
    .option('--json', 'print one JSON object')
    .option('--no-progress', 'do not say how far it is')
    .addHelpText('after', help)
    .action((paths: string[], flags: PerplexityFlags) =>
      perplexity(paths, flags).catch((error) => {
        throw toCallersError(error)
      }),
    )
}

async function perplexity(paths: string[], flags: PerplexityFlags): Promise<void> {
  const { model, output, limit, threads, lora, raw } = flags
  const { cases: all, templates, leftOut } = await readCases(paths, flags)
  const cases = all.slice(0, limit)
  const signal = watchInterrupts()
  const reporter = flags.progress ? createEvalReporter(process.stderr, 'examples scored') : undefined
  const { engineFlags } = await readEngineFlags({ threads, seed: 0, concurrency: 1, progress: false })
  const options = { ...engineFlags, lora, raw, signal, onProgress: reporter?.pull }
  const startMs = performance.now()
  try {
    const run = await withEngine(model, options, (engine) =>
      scoreAll(engine, cases, { flags, signal, reporter }),
    )
    reporter?.close()
    for (const { id, error } of run.failures.slice(0, 10)) {
      console.error(`failed: example ${id}: ${error.kind}: ${sanitise(error.message)}`)
    }
    if (run.scored.length === 0) {
      if (run.outcome === 'interrupted') throw signal.reason
      process.exitCode = 1
      return
    }
    const { format, target, proposals, mostChars } = flags
    const ofFormat = format !== 'examples' && { target: target ?? 'gold', proposals }
    const ownTemplate = { id: defaultTemplate.id, sha256: hashTemplate(defaultTemplate) }
    const isOwn = templates.length === 0 || templates.every((id) => id === defaultTemplate.id)
    const result = {
      task: 'perplexity',
      model,
      ...(lora && { lora }),
      file: paths.join(', '),
      n: run.scored.length,
      asked: cases.length,
      left_out: leftOut,
      tokens: run.scored.reduce((sum, { scores }) => sum + (Object.values(scores)[0]?.tokens ?? 0), 0),
      conditions: summarise(run.scored),
      settings: { format, ...ofFormat, ...(mostChars && { mostChars }), ...(limit && { limit }), seed: 0 },
      template: isOwn ? ownTemplate : { id: templates.join(', '), sha256: 'see the data card' },
      ...describeOrigin(),
      seconds: (performance.now() - startMs) / 1000,
    }
    writeResult(output, result)
    if (flags.json) console.log(JSON.stringify(result))
    else
      console.log(
        sanitise(`${model}: ${result.n} targets, ${result.tokens} tokens\n${table(result.conditions)}`),
      )
    if (run.outcome === 'interrupted') {
      console.error('interrupted; run the same command to go on')
      throw signal.reason
    }
    if (run.scored.length < cases.length) process.exitCode = 1
  } finally {
    reporter?.close()
  }
}

interface Scoring {
  flags: PerplexityFlags
  signal: AbortSignal
  reporter?: ReturnType<typeof createEvalReporter>
}

/** One example after the other; each condition is kept as soon as it is there. */
async function scoreAll(engine: Engine, cases: ScoredCase[], { flags, signal, reporter }: Scoring) {
  const { format, output, restart, proposals, mostChars = null, raw = false, lora = null } = flags
  const shown = format === 'examples' ? {} : { proposals }
  const header: TaskHeader = {
    type: 'header',
    task: 'perplexity',
    version: 1,
    aft: readVersion(),
    engine: engine.id,
    format,
    ...shown,
    mostChars,
    raw,
    lora,
  }
  const journal = await openTaskJournal(path.join(output, 'journal.jsonl'), header, { restart })
  try {
    const { outcome, failures } = await runTask({
      journal,
      items: cases.map((one) => ({ id: one.id, digest: digest(one), one })),
      active: 1,
      signal,
      onProgress: reporter?.update,
      async work({ one: { prompts, target } }, { parts, record, signal }) {
        for (const [condition, prompt] of Object.entries(prompts)) {
          if (parts.has(condition)) continue
          signal.throwIfAborted()
          const score = await scoreTarget(engine, prompt, target)
          parts.set(condition, score)
          record(condition, score)
        }
        return Object.fromEntries(parts)
      },
    })
    const scored = cases.flatMap(({ id, prompts }): CaseScore[] => {
      const end = endOf(journal, id) as Record<string, TargetScore> | undefined
      if (!end) return []
      return [
        {
          id,
          scores: Object.fromEntries(Object.keys(prompts).map((name) => [name, end[name] as TargetScore])),
        },
      ]
    })
    return { outcome, failures, scored }
  } finally {
    journal.close()
  }
}

function digest({ target, prompts }: ScoredCase): string {
  return createHash('sha256')
    .update(JSON.stringify([target, prompts]))
    .digest('hex')
    .slice(0, 16)
}

function table(conditions: ConditionSummary[]): string {
  const head = ['shown', 'perplexity', 'nats a token', '95 %', 'lower on']
  const rows = conditions.map(({ condition, perplexity, difference, interval, lower }) => [
    condition,
    perplexity.toFixed(2),
    difference === null ? '' : difference.toFixed(3),
    interval === null ? '' : `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
    lower === null ? '' : `${Math.round(100 * lower)} %`,
  ])
  return drawTable(head, rows)
}
