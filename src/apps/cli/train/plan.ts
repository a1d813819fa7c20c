/** `aft train --plan`: what a training would take, before anything starts. */
import { gigabytes, type TrainingPlan } from '../../../train/plan.ts'

const count = (n: number) => Math.round(n).toLocaleString('en-US')

/** Renders a plan as lines. */
export function describePlan(plan: TrainingPlan): string {
  const { memory, disk, hours } = plan
  const trained = ((100 * plan.trainedTokens) / plan.tokens).toFixed(1)
  const per = plan.processes === 1 ? '' : ' per process'
  const lines = [
    ['rows', `${count(plan.rows)}${plan.evaluated > 0 ? `, and ${count(plan.evaluated)} held out` : ''}`],
    [
      'tokens',
      `${count(plan.tokens)} per epoch, ${trained} % of them trained; longest row ${count(plan.longestRow)}`,
    ],
    ['model', `${count(plan.parameters)} parameters, ${count(plan.trainedParameters)} of them trained`],
    ['updates', `${count(plan.updates)} of ${plan.rowsPerUpdate} rows, ${plan.epochs.toFixed(2)} epochs`],
    [
      `memory${per}`,
      `${gigabytes(memory.total)}: weights ${gigabytes(memory.weights)}, gradients ${gigabytes(memory.gradients)}, ` +
        `optimizer ${gigabytes(memory.optimizer)}, activations ${gigabytes(memory.activations)}`,
    ],
    ['memory of the machine', gigabytes(plan.hostMemory)],
    [
      'disk',
      `${gigabytes(disk.total)}: checkpoints ${gigabytes(disk.checkpoints)}, tokens ${gigabytes(disk.tokens)}, result ${gigabytes(disk.result)}`,
    ],
    [
      'work',
      `${(plan.flops / 1e15).toPrecision(3)} PFLOP${hours === undefined ? '; --tflops gives the hours' : ''}`,
    ],
    ...(hours === undefined ? [] : [['hours', hours.toPrecision(3)]]),
  ]
  const wide = Math.max(...lines.map(([name = '']) => name.length))
  return [
    ...lines.map(([name = '', text]) => `${name.padEnd(wide)}  ${text}`),
    ...plan.warnings.map((text) => `warning: ${text}`),
    ...(plan.dropped > 0 ? [`warning: ${count(plan.dropped)} rows are too long and are dropped`] : []),
    ...plan.problems.map((text) => `problem: this machine ${text}`),
  ].join('\n')
}
