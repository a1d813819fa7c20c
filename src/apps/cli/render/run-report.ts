/** Writes what `aft run` prints on standard error: its progress, and how it ended. */
import type { Spending } from '../../../run/budget.ts'
import type { FailureGroup, Progress } from '../../../run/progress.ts'
import type { RunSummary } from '../../../run/run.ts'
import { describeLeft, joinFacts, type ProgressView, showTime } from '../progress.ts'
import { sanitize } from './sanitize.ts'

/** Makes the progress line of a run. */
export function viewRun(progress: Progress, elapsedMs: number): ProgressView {
  const { made, completions } = progress
  return { share: made / Math.max(1, completions), facts: describeProgress(progress, elapsedMs) }
}

/** Writes facts such as `12 of 20 answered · 0:25 left · 140 of 220 completions, 3.2/s · 45,210 tokens, $0.02`. */
export function describeProgress(progress: Progress, elapsedMs: number): string {
  const { failed, made, madeNow, spent } = progress
  // If an answer repeats itself, one more completion is sampled than planned.
  const completions = Math.max(progress.completions, made)
  const perSecond = madeNow / Math.max(1, elapsedMs / 1000)
  return joinFacts([
    showAnswered(progress),
    failed > 0 && `${count(failed)} failed`,
    describeLeft(madeNow, completions - made, elapsedMs),
    `${count(made)} of ${count(completions)} completions, ${perSecond.toFixed(perSecond < 100 ? 1 : 0)}/s`,
    showSpent(spent),
  ])
}

/** Says in lines how a run ended, and what to do next. */
export function describeEnd(
  summary: RunSummary,
  { out, elapsedMs }: { out: string; elapsedMs: number },
): string {
  const { outcome, reason, progress, failures } = summary
  const { made, spent } = progress
  const so = showAnswered(progress)
  const took = showSpent(spent)
  const ends = {
    done: `${so}: ${count(made)} completions, ${took}, ${showTime(elapsedMs)}. See ${out}`,
    interrupted: `stopped: ${so}, so far ${count(made)} completions, ${took}; ${AGAIN} to resume`,
    held: `stopped, because the next could exceed the budget (so far ${took}): ${so}; raise it and ${AGAIN} to resume`,
    hopeless: `stopped, because the others would ${whatElse(reason, failures)}: ${so}; fix that and ${AGAIN} to resume`,
  }
  const hint = outcome === 'done' && failures.length > 0 ? `; ${AGAIN} to try the others again` : ''
  const warnings = [...progress.warnings].map((warning) => `warning: ${sanitize(warning)}`)
  return [...warnings, ...failures.map(describeFailures), ends[outcome] + hint].join('\n')
}

const AGAIN = 'run the same command'

function describeFailures({ error, count: n, id }: FailureGroup): string {
  const who = n === 1 ? `prompt ${id}` : `${count(n)} prompts (${id} was the first)`
  return `failed: ${who}: ${error.kind}: ${sanitize(error.message)}`
}

/** Says what would happen to the other prompts. It has the reason only if no failure was listed with it. */
function whatElse(reason: RunSummary['reason'], failures: FailureGroup[]): string {
  if (!reason || failures.length > 0) return 'fail too'
  return `be degraded too (${reason.kind}: ${sanitize(reason.message)})`
}

/** Says what a run takes at most, for `--dry-run`. */
export function describeBound(prompts: number, bound: Spending, unpriced: string[]): string {
  const cost =
    bound.cost === undefined
      ? `unknown (no price of ${unpriced.join(', ')}; aft.config.ts can give it)`
      : `at most ${showCost(bound.cost)}`
  return [
    `prompts      ${count(prompts)}`,
    `calls        ${count(bound.calls)}`,
    `completions  ${count(bound.completions)}`,
    `tokens in    about ${count(bound.inputTokens)} at most`,
    `tokens out   ${count(bound.outputTokens)} at most`,
    `cost         ${cost}`,
    '',
    'Assumed: a token is 4 bytes of text, each completion is as long as --max-tokens allows, and each request is',
    'sent once for all its samples. Most runs take far less.',
  ].join('\n')
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}

function showSpent({ inputTokens, outputTokens, cost }: Spending): string {
  const tokens = `${count(inputTokens + outputTokens)} tokens`
  return cost ? `${tokens}, ${showCost(cost)}` : tokens
}

function showCost(dollars: number): string {
  return `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`
}

function showAnswered({ prompts, answered, degraded }: Progress): string {
  const less = degraded > 0 ? ` (${count(degraded)} degraded)` : ''
  return `${count(answered)} of ${count(prompts)} answered${less}`
}
