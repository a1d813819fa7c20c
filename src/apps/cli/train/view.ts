/** What a training run shows: a line that changes on a terminal, a line now and then in a pipe. */
import type { TrainerEvent } from '../../../train/launch.ts'
import { sanitise } from '../render/sanitize.ts'

export interface TrainView {
  event(event: TrainerEvent): void
  line(text: string): void
  /** Training has ended well. */
  end(): void
  /** It has not. */
  stop(): void
}

const QUIET_MS = 15_000

/** Writes to standard error. */
export function openTrainView(output: string): TrainView {
  const isTerminal = process.stderr.isTTY ?? false
  let isLineOpen = false
  let shownMs = Number.NEGATIVE_INFINITY
  let first: { step: number; tokens: number; seconds: number } | undefined
  const close = () => {
    if (isLineOpen) process.stderr.write('\n')
    isLineOpen = false
  }
  const line = (text: string) => {
    close()
    console.error(sanitise(text))
  }
  const showStep = (event: Extract<TrainerEvent, { event: 'step' }>) => {
    first ??= event
    const text = describeStep(event, first)
    const now = performance.now()
    if (isTerminal) {
      process.stderr.write(`\r\x1b[2K${text}`)
      isLineOpen = true
    } else if (now - shownMs > QUIET_MS || event.step === event.maxSteps) {
      shownMs = now
      line(text)
    }
  }
  const event = (event: TrainerEvent) => {
    if (event.event === 'preflight') describePreflight(event).forEach(line)
    if (event.event === 'start') {
      const { worldSize, device } = event
      line(`training with ${worldSize} ${worldSize === 1 ? 'process' : 'processes'} on ${device}`)
    }
    if (event.event === 'step') showStep(event)
    if (event.event === 'eval') line(`step ${event.step}: held-out loss ${event.loss.toFixed(4)}`)
  }
  const end = () => line(`done. Try it: aft ask --model ${output} "..."; what it is: ${output}/README.md`)
  return { event, line, end, stop: close }
}

function describePreflight(event: Extract<TrainerEvent, { event: 'preflight' }>): string[] {
  const { rows, tokens, trained, longest, dropped, trimmed = 0, evaluated, warnings } = event
  const share = ((100 * trained) / tokens).toFixed(1)
  const parts = [
    `${count(rows)} rows, ${count(tokens)} tokens, ${share} % of them trained, longest row ${count(longest)} tokens`,
    ...(evaluated > 0 ? [`${count(evaluated)} held-out rows`] : []),
    ...(dropped > 0 ? [`${count(dropped)} rows left out as too long`] : []),
    ...(trimmed > 0 ? [`the proposals of ${count(trimmed)} rows cut to fit`] : []),
  ]
  return [parts.join('; '), ...warnings.map((warning) => `warning: ${warning}`)]
}

/** Speed and time left are those since this start, its first step left out: that one is slow. */
function describeStep(
  { step, maxSteps, loss, learningRate, tokens, seconds }: Extract<TrainerEvent, { event: 'step' }>,
  first: { step: number; tokens: number; seconds: number },
): string {
  const parts = [
    `step ${step}/${maxSteps}`,
    `loss ${loss.toFixed(4)}`,
    `rate ${learningRate.toExponential(1)}`,
  ]
  const elapsed = seconds - first.seconds
  if (step > first.step && elapsed > 0) {
    const left = ((maxSteps - step) * elapsed) / (step - first.step)
    parts.push(
      `${count(Math.round((tokens - first.tokens) / elapsed))} tokens/s`,
      `${describeTime(left)} left`,
    )
  }
  return parts.join('  ')
}

function describeTime(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

const count = (n: number) => n.toLocaleString('en')
