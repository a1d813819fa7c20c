/** The public `runPrompts`: what reads prompts and journals is loaded by the first run, so that `import 'aft'` is fast. */
import type { RunOptions, RunSummary } from './run.ts'

/**
 * Answers many prompts, with a journal. Each prompt enters its next layer as soon as its own samples are complete. If an
 * earlier run was interrupted, its prompts are resumed from the journal, and failed ones are tried again.
 * @throws UsageError for wrong settings, a journal that is in use or has other settings;
 * DataError for a wrong row, before the first call
 * @example
 * const engines = { small: await openEngine('smollm2') }
 * const plan = makePlan({ proposers: ['small'] })
 * const { outcome } = await runPrompts({ prompts: 'prompts.jsonl', out: 'answers.jsonl', plan, engines })
 */
export async function runPrompts(options: RunOptions): Promise<RunSummary> {
  const { runPrompts } = await import('./run.ts')
  return runPrompts(options)
}
