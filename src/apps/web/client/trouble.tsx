/** What went wrong in a run, above its answer: half an answer must not look like a whole one. */
import { nameOf } from './places.ts'
import type { RunView } from './run.ts'

const MOST_LINES = 20

/** Shows each failure once. Members that failed in the same way share a line. */
export function Trouble({ run }: { run: RunView }) {
  if (run.state === 'stopped') {
    const rest = run.answer ? 'what follows is not a whole answer.' : 'before the answer began.'
    return (
      <p class="banner" role="status">
        Stopped{run.answer ? ': ' : ' '}
        {rest}
      </p>
    )
  }
  const failures = foldFailures(run)
  const reasons = run.degradedBecause.filter((reason) => !isOfFailure(reason, run))
  if (run.state !== 'failed' && reasons.length === 0 && failures.length === 0) return null
  const isFailed = run.state === 'failed'
  return (
    <div class={`banner${isFailed ? ' failed' : ''}`} role={isFailed ? 'alert' : 'status'}>
      <strong>{titleOf(run, reasons)}</strong>
      {run.error && <p>{run.error}</p>}
      <ul>
        {[...failures, ...reasons].slice(0, MOST_LINES).map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  )
}

function titleOf({ state, degradedBecause }: RunView, reasons: string[]): string {
  if (state === 'failed') return 'No answer'
  if (degradedBecause.length === 0) return 'A completion failed'
  return reasons.length === 0 ? 'Answered with fewer proposals' : 'Degraded: less than was asked for'
}

function foldFailures(run: RunView): string[] {
  const failures = run.layers.flatMap((layer, depth) =>
    layer.members.flatMap(({ index, error }) =>
      error && !isInError(error, run) ? [{ name: nameOf(depth, index), error }] : [],
    ),
  )
  return [...Map.groupBy(failures, ({ error }) => error)].map(
    ([error, members]) => `${listNames(members.map(({ name }) => name))}: ${wordsOf(error)}`,
  )
}

/** The error of a run without a proposal has the words of its failures: they are not said twice. */
function isInError(failure: string, { error = '' }: RunView): boolean {
  return error.includes(wordsOf(failure))
}

/** Removes the error's code, which is for programs. */
const wordsOf = (failure: string) => failure.replace(/^[a-z-]+: /, '')

/** Joins names of the same kind: `Proposals 1, 2 and 3`. */
function listNames(names: string[]): string {
  const [first = '', ...rest] = names
  if (rest.length === 0) return first
  const kind = first.replace(/ \S+$/, '')
  if (!names.every((name) => name.startsWith(`${kind} `))) return names.join(', ')
  const numbers = names.map((name) => name.slice(kind.length + 1))
  return `${kind}s ${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`
}

/** The core says of each failed completion that it is missing; its failure says more. */
function isOfFailure(reason: string, run: RunView): boolean {
  const [, layer, list = ''] = /^layer (\d+): completions? ([\d, ]+) (?:is|are) missing/.exec(reason) ?? []
  const members = run.layers[Number(layer) - 1]?.members ?? []
  return list !== '' && list.split(', ').every((number) => members[Number(number) - 1]?.error !== undefined)
}
