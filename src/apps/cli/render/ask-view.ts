/** Where an answer goes: onto a terminal with all that led to it, or alone to whatever reads standard output. */
import { attributeResult } from '../../../analyze/attribution.ts'
import type { Plan } from '../../../core/plan.ts'
import type { AftEvent, Result } from '../../../core/result.ts'
import type { AskStatus } from './ask-status.ts'
import { sanitize, stringifySafely } from './sanitize.ts'
import type { PullProgress } from './status.ts'

export type ViewMode = 'text' | 'json' | 'events'

export interface AskView {
  /** A model's file is being pulled. */
  pull(progress: PullProgress): void
  event(event: AftEvent): void
  end(result: Result): void
  /** Leaves the terminal as it should be. */
  close(): void
}

/**
 * What draws is loaded only if there is a terminal.
 * @param hasProgress writes progress to standard error
 */
export async function openAskView(plan: Plan, mode: ViewMode, hasProgress: boolean): Promise<AskView> {
  const startMs = performance.now()
  const { stdout } = process
  const status = hasProgress ? await openStatus(plan, mode) : undefined
  if (mode !== 'text' || !stdout.isTTY) return pipedView(mode, status)
  const { LiveView } = await import('./live.ts')
  const live = new LiveView(plan, stdout)
  return {
    pull: (progress) => status?.pull(progress),
    event(event) {
      status?.close()
      live.event(event)
    },
    end: (result) => live.end(result, performance.now() - startMs),
    close() {
      status?.close()
      live.close()
    },
  }
}

function pipedView(mode: ViewMode, status: AskStatus | undefined): AskView {
  return {
    pull: (progress) => status?.pull(progress),
    event(event) {
      status?.event(event)
      if (mode === 'events') console.log(stringifySafely(event))
    },
    end(result) {
      status?.close()
      if (mode === 'json')
        console.log(stringifySafely(withAttribution(result), process.stdout.isTTY ? 2 : undefined))
      if (mode === 'text') writeAnswer(result)
    },
    close: () => status?.close(),
  }
}

/** Where there were proposals, what each sentence of the answer took from them. */
function withAttribution(result: Result) {
  return result.from.layer === 0 ? result : { ...result, attribution: attributeResult(result) }
}

/** The answer's own bytes, and a line feed where it ends without. */
function writeAnswer({ answer, degradedBecause = [] }: Result): void {
  for (const reason of degradedBecause) console.error(`degraded: ${sanitize(reason)}`)
  process.stdout.write(answer.endsWith('\n') ? answer : `${answer}\n`)
}

/** A line that changes on a terminal, a line per stage elsewhere. A program that reads JSON has no use for them. */
async function openStatus(plan: Plan, mode: ViewMode): Promise<AskStatus | undefined> {
  if (process.stderr.isTTY) return (await import('./ask-status.ts')).createAskStatus(plan, process.stderr)
  if (mode !== 'text') return undefined
  return (await import('./stage-lines.ts')).createStageLines(plan, console.error)
}
