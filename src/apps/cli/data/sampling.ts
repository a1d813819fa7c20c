/** What `aft data propose` and `aft data label` share: how a model is sampled into a journal, and rows written. */
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Plan } from '../../../core/plan.ts'
import { journal } from '../../../data/sources/journal.ts'
import type { OpenOptions } from '../../../engines/open.ts'
import { readRecords } from '../../../files/rows/read-records.ts'
import type { SourceRow } from '../../../files/rows/row.ts'
import { toFileError } from '../../../lib/file-error.ts'
import { createSpool, type Spool } from '../../../lib/spool.ts'
import { type RunOptions, runPrompts } from '../../../run/run.ts'
import { watchInterrupts } from '../interrupt.ts'
import { openPlan } from '../open-plan.ts'
import { createProgress } from '../progress.ts'
import { describeEnd, viewRun } from '../render/run-report.ts'

export interface SamplingFlags {
  output: string
  model: string
  maxTokens: number
  temperature: number
  seed: number
  raw?: boolean
  concurrency?: number
  threads?: number
  restart?: boolean
}

/** Adds the flags of a sampled model. */
export function addSamplingFlags(command: Command): Command {
  return command
    .requiredOption('-o, --output <file>', 'where the rows go; what was sampled is in FILE.journal')
    .option('-m, --model <name>', 'engine, as for aft run', 'smollm2')
    .addOption(number('--max-tokens <n>', 'most tokens of a completion').default(1024))
    .addOption(number('--temperature <t>', '0 to 5').default(0.7))
    .addOption(number('--seed <n>', 'same seed, same samples').default(0))
    .addOption(number('--concurrency <n>', 'completions in flight'))
    .addOption(number('--threads <n>', 'CPU threads of an embedded model'))
    .option('--restart', 'put the journal of an earlier run aside and begin anew')
}

export function number(flag: string, about: string): Option {
  return new Option(flag, about).argParser((text: string) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (value >= 0) return value
    throw new InvalidArgumentError('Expected a number from 0.')
  })
}

/**
 * Runs a plan into `FILE.journal`, or goes on with it. True when every prompt was tried.
 * @param begin called with the engines' ids before the run, which it may prepare the journal of
 */
export async function sampleInto(
  flags: SamplingFlags,
  run: Pick<RunOptions, 'prompts' | 'template'> & { plan: Plan },
  begin?: (engines: Record<string, string>) => Promise<void>,
): Promise<boolean> {
  const signal = watchInterrupts()
  const startMs = performance.now()
  const reporter = createProgress(process.stderr, viewRun)
  const { raw, concurrency, threads, restart, output: out } = flags
  const options: OpenOptions = { raw, concurrency, threads, signal, onProgress: reporter.pull }
  const { engines, close } = await openPlan(run.plan, options)
  try {
    await begin?.(Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, engine.id])))
    const summary = await runPrompts({
      ...run,
      out,
      engines,
      signal,
      restart: begin ? false : restart,
      onProgress: reporter.update,
    })
    reporter.close()
    console.error(describeEnd(summary, { out, elapsedMs: performance.now() - startMs }))
    if (summary.outcome === 'interrupted') throw signal.reason
    if (summary.outcome !== 'done' || summary.failures.length > 0) process.exitCode = 1
    return summary.outcome === 'done'
  } finally {
    reporter.close()
    await close()
  }
}

/** Writes rows in the place of the answers that a run wrote, as they come. */
export async function writeRows(file: string, rows: AsyncIterable<object>): Promise<void> {
  const temporary = `${file}.tmp`
  async function* lines() {
    for await (const row of rows) yield `${JSON.stringify(row)}\n`
  }
  try {
    await pipeline(lines, createWriteStream(temporary))
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw toFileError(file, error)
  }
}

/** What a run's journal made of each prompt, by id. Close it to remove its file. */
export async function spoolRows<Value>(
  output: string,
  pick: (row: SourceRow) => Value | undefined,
): Promise<Spool<Value>> {
  const spool = createSpool<Value>(`${output}.spool.tmp`)
  try {
    for await (const row of journal.read(readRecords([`${output}.journal`]))) {
      const value = 'problem' in row ? undefined : pick(row)
      if (value !== undefined && !('problem' in row)) spool.put(row.id, value)
    }
    return spool
  } catch (error) {
    spool.close()
    throw error
  }
}
