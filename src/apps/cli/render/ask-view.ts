/** Shows an answer: on a terminal with all proposals, and in a pipe alone. */
import { attributeResult } from '../../../analyze/attribution.ts'
import type { Plan } from '../../../core/plan.ts'
import type { AftEvent, Result } from '../../../core/result.ts'
import type { AskStatus } from './ask-status.ts'
import { sanitize, stringifySafely } from './sanitize.ts'
import type { PullProgress } from './status.ts'
import { createTally } from './stop.ts'
import { inLocale } from './style.ts'

/** Format of the output: the answer's text, one JSON object, or a line of JSON per event. */
export type ViewMode = 'text' | 'json' | 'events'

/** The view of one answer. */
export interface AskView {
  /** Shows the download of a model's file. */
  pull(progress: PullProgress): void
  event(event: AftEvent): void
  end(result: Result): void
  /** Keeps what was written, and says what it cost. */
  stop(): void
  /** Restores the terminal. */
  close(): void
}

/**
 * Opens the view. Code that draws is loaded only for a terminal.
 * @param hasProgress writes progress to standard error
 */
export async function openAskView(plan: Plan, mode: ViewMode, hasProgress: boolean): Promise<AskView> {
  const startMs = performance.now()
  const { stdout } = process
  const status = hasProgress ? await openStatus(plan, mode) : undefined
  if (mode !== 'text' || !stdout.isTTY) return pipedView(plan, mode, status)
  const { LiveView } = await import('./live.ts')
  const live = new LiveView(plan, stdout)
  const tally = createTally(plan)
  return {
    pull: (progress) => status?.pull(progress),
    event(event) {
      status?.close()
      tally.event(event)
      live.event(event)
    },
    stop() {
      status?.close()
      live.stop(tally.describe(performance.now() - startMs))
    },
    end: (result) => live.end(result, performance.now() - startMs),
    close() {
      status?.close()
      live.close()
    },
  }
}

function pipedView(plan: Plan, mode: ViewMode, status: AskStatus | undefined): AskView {
  const startMs = performance.now()
  const tally = createTally(plan)
  return {
    pull: (progress) => status?.pull(progress),
    event(event) {
      tally.event(event)
      status?.event(event)
      if (mode === 'events') console.log(stringifySafely(event))
    },
    end(result) {
      status?.close()
      const fresh = (result.warnings ?? []).filter((warning) => !status?.told?.has(warning))
      for (const warning of fresh) console.error(`warning: ${sanitize(warning)}`)
      if (mode === 'json')
        console.log(stringifySafely(withAttribution(result), process.stdout.isTTY ? 2 : undefined))
      if (mode === 'text') writeAnswer(result)
    },
    stop() {
      status?.close()
      console.error(inLocale(tally.describe(performance.now() - startMs)))
    },
    close: () => status?.close(),
  }
}

/** Adds what each sentence of the answer took from the proposals, if there were any. */
function withAttribution(result: Result) {
  return result.from.layer === 0 ? result : { ...result, attribution: attributeResult(result) }
}

/** Writes the answer unchanged, and a line feed if it does not end in one. */
function writeAnswer({ answer, degradedBecause = [] }: Result): void {
  for (const reason of degradedBecause) console.error(`degraded: ${sanitize(reason)}`)
  process.stdout.write(answer.endsWith('\n') ? answer : `${answer}\n`)
}

/** Opens a status: a line that changes on a terminal, or a line per stage. With JSON in a pipe there is none. */
async function openStatus(plan: Plan, mode: ViewMode): Promise<AskStatus | undefined> {
  if (process.stderr.isTTY) return (await import('./ask-status.ts')).createAskStatus(plan, process.stderr)
  if (mode !== 'text') return undefined
  return (await import('./stage-lines.ts')).createStageLines(plan, console.error)
}
