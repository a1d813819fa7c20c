/** Proposals as one text: they are written at the same time, but sent one after the other. */
import type { AftEvent } from '../core/result.ts'

/**
 * Makes a view that takes the events of a run and sends the proposals as text, in order. The first one that has not ended
 * is sent while it grows.
 */
export function createProposalView(send: (text: string) => void) {
  let texts: string[] = []
  let ended = new Set<number>()
  let current = 0
  let sentChars = 0
  let heading = ''

  const sendCurrent = () => {
    const text = texts[current] ?? ''
    if (text.length <= sentChars) return
    if (sentChars === 0) send(`[${heading} ${current + 1}]\n`)
    send(text.slice(sentChars))
    sentChars = text.length
  }
  const next = () => {
    sendCurrent()
    if (sentChars > 0) send('\n\n')
    current++
    sentChars = 0
  }
  const advance = () => {
    while (ended.has(current)) next()
    sendCurrent()
  }
  return {
    take: (event: AftEvent) => {
      if (event.type === 'layer-start') {
        texts = []
        ended = new Set()
        current = 0
        sentChars = 0
        heading = event.layer === 0 ? 'proposal' : `layer ${event.layer + 1}, aggregation`
      } else if (event.type === 'completion-delta') {
        texts[event.index] = (texts[event.index] ?? '') + event.text
        if (event.index === current) sendCurrent()
      } else if (event.type === 'completion-restarted') {
        if (event.index === current && sentChars > 0) send('\n[starts again]\n')
        if (event.index === current) sentChars = 0
        texts[event.index] = ''
      } else if (event.type === 'completion-end') {
        ended.add(event.completion.index)
        advance()
      } else if (event.type === 'layer-end') {
        while (current < texts.length) next()
      }
    },
  }
}
