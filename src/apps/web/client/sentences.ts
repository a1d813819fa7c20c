/** The sentences of an answer as elements: finds and marks one, and moves between them with keys. */

/** Returns the number of the sentence that an event happened in. */
export function sentenceAt(target: EventTarget | null): number | undefined {
  const element = target instanceof Element ? target.closest<HTMLElement>('[data-sentence]') : null
  return element ? Number(element.dataset.sentence) : undefined
}

/** On a narrow page the sources float over the end of the answer: moves the sentence up if they would cover it. */
export function keepInSight(sentence: EventTarget | null, turn: HTMLElement | null): void {
  requestAnimationFrame(() => {
    const sheet = turn?.querySelector('.sources.open')
    if (!sheet || !(sentence instanceof Element) || getComputedStyle(sheet).bottom === 'auto') return
    const { top, left } = sheet.getBoundingClientRect()
    const { bottom, left: start } = sentence.getBoundingClientRect()
    if (left <= start + 1 && bottom > top) window.scrollBy({ top: bottom - top + 8, behavior: 'instant' })
  })
}

/** Marks all elements of one sentence, and no others. */
export function markSentence(prose: HTMLElement | null, i: number | undefined): void {
  for (const element of prose?.querySelectorAll('.sentence.on') ?? []) element.classList.remove('on')
  for (const element of prose?.querySelectorAll(`[data-sentence="${i}"]`) ?? []) element.classList.add('on')
}

/** Moves from sentence to sentence with the arrow keys; Escape ends that. */
export function moveBy(event: KeyboardEvent, prose: HTMLElement | null, release: () => void): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
  if (event.key === 'Escape') release()
  const current = sentenceAt(event.target)
  if (step === undefined || current === undefined || !prose) return
  const next = prose.querySelector<HTMLElement>(`[data-sentence="${current + step}"][tabindex]`)
  if (!next) return
  event.preventDefault()
  for (const element of prose.querySelectorAll<HTMLElement>('[tabindex="0"].sentence')) element.tabIndex = -1
  next.tabIndex = 0
  next.focus()
}
