/** Lets the writer of an answer that was stopped or cut write on. The proposals are not asked again. */
import type { AftEvent } from '../../../core/result.ts'
import { type Settings, toBody } from './api.ts'
import { answerOf, newRun, type RunView, type Turn, takeEvent } from './run.ts'

const INSTRUCTION =
  'Your last text was cut off. Continue exactly where it stopped. Do not repeat any of it, and write nothing before it.'

/** True if there is the beginning of an answer to continue. */
export function isContinuable(run: RunView): boolean {
  return (run.state !== 'done' || run.isCut === true) && Boolean(run.answer) && answerOf(run) !== undefined
}

/** Makes the request: one completion of the model that writes answers. */
export function resumeBody({ messages, run }: Turn, settings: Settings): object {
  const asked = [
    ...messages,
    { role: 'assistant' as const, content: run.answer ?? '' },
    { role: 'user' as const, content: INSTRUCTION },
  ]
  return { ...toBody(asked, { ...settings, strategy: '', width: '', depth: '' }), aft: { enabled: false } }
}

/** Makes the function that takes the events of the continuation and adds its text to the answer. */
export function takeMore(run: RunView): (event: AftEvent) => void {
  const { answer = '', usage, ms = 0 } = run
  const more = newRun()
  Object.assign(run, { state: 'running', error: undefined, isCut: undefined })
  return (event) => {
    takeEvent(more, event)
    const text = answer + (more.answer ?? answerOf(more)?.text ?? '')
    const author = answerOf(run)
    if (author) Object.assign(author, { text, state: more.state === 'done' ? 'done' : 'writing' })
    if (more.state !== 'done') return
    Object.assign(run, { state: 'done', answer: text, isCut: more.isCut, ms: ms + (more.ms ?? 0) })
    run.from = { layer: run.layers.length - 1, index: 0 }
    if (more.usage) run.usage = usage ? addUsage(usage, more.usage) : more.usage
  }
}

type Usage = NonNullable<RunView['usage']>

function addUsage(a: Usage, b: Usage): Usage {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    prefilledTokens: null,
    outputTokens: a.outputTokens + b.outputTokens,
    ...(a.cost !== undefined && b.cost !== undefined && { cost: a.cost + b.cost }),
  }
}
