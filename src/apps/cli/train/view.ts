/** Shows a training run: a progress line, and permanent lines. */
import type { TrainerEvent } from '../../../train/launch.ts'
import { createProgress, describeLeft, joinFacts, type ProgressView } from '../progress.ts'
import { sanitize } from '../render/sanitize.ts'

/** The view of one training run, on standard error. */
export interface TrainView {
  event(event: TrainerEvent): void
  line(text: string): void
  /** Reports that training has succeeded. */
  end(): void
  /** Removes the progress line after a failure or a stop. */
  stop(): void
}

type Step = Extract<TrainerEvent, { event: 'step' }>

/** Opens the view of a run into the folder `output`. */
export function openTrainView(output: string): TrainView {
  let first: Step | undefined
  const view = (step: Step) => viewStep(step, first ?? step)
  const progress = createProgress<Step>(process.stderr, view)
  const line = (text: string) => progress.writeAbove(sanitize(text))
  const showStep = (step: Step) => {
    first ??= step
    if (step.loss === null || step.gradNorm === null) tellNoNumber(step)
    progress.update(step)
    // A log keeps the last figures. A terminal does not need them: the held-out loss and the folder have them.
    if (!process.stderr.isTTY && step.step === step.maxSteps) line(view(step).facts)
  }
  let told = 0
  const tellNoNumber = ({ step, loss }: Step) => {
    if (told++ === 0) {
      const what = loss === null ? 'the loss' : 'the norm of the gradients'
      line(`warning: step ${step}: ${what} is not a finite number; if that stays so, lower learning_rate`)
    }
  }
  const event = (event: TrainerEvent) => {
    if (event.event === 'preflight') describePreflight(event).forEach(line)
    if (event.event === 'start') {
      const { worldSize, device, lacksFsdp } = event
      line(`training with ${worldSize} ${worldSize === 1 ? 'process' : 'processes'} on ${device}`)
      if (lacksFsdp) line('warning: FSDP needs several GPUs; each process has the whole model')
    }
    if (event.event === 'step') showStep(event)
    if (event.event === 'eval') line(`step ${event.step}: held-out loss ${showLoss(event.loss)}`)
    if (event.event === 'end' && told > 1)
      line(`warning: ${told} steps had a loss or a norm that is no finite number`)
    if (event.event === 'end') progress.close()
  }
  const end = () => line(`done. Try it: aft ask --model ${output} "..."; what it is: ${output}/README.md`)
  return { event, line, end, stop: progress.close }
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

/** Makes the progress line. Speed and time left count from the end of this start's first step, which is slow. */
function viewStep(
  { step, maxSteps, loss, learningRate, tokens, seconds, reward }: Step,
  first: Step,
): ProgressView {
  const elapsed = seconds - first.seconds
  const speed = elapsed > 0 && `${count(Math.round((tokens - first.tokens) / elapsed))} tokens/s`
  const facts = joinFacts([
    `step ${step} of ${maxSteps}`,
    reward === undefined ? `loss ${showLoss(loss)}` : `reward ${reward.toFixed(3)}`,
    `learning rate ${learningRate.toExponential(1)}`,
    speed,
    describeLeft(step - first.step, maxSteps - step, 1000 * elapsed),
  ])
  return { share: step / maxSteps, facts }
}

const count = (n: number) => n.toLocaleString('en-US')

const showLoss = (loss: number | null) => loss?.toFixed(4) ?? 'not a number'
