/** Keeps the end of a growing text visible in its box, until the reader scrolls back in it or gives it the focus. */

/** Where a box was scrolled to, its height, and whether its reader scrolled back. */
export interface Tail {
  top: number
  height: number
  isHeld: boolean
}

/** Scrolls to the end, or to the begin of a complete text, at the next frame: the layout of all boxes is done once. */
export function followText(box: HTMLElement | null, tail: Tail, isWriting: boolean): void {
  requestAnimationFrame(() => {
    if (!box || tail.isHeld || box.matches(':focus-within')) return
    if (isWriting) box.scrollTop = box.scrollHeight
    else if (tail.height > 0) box.scrollTop = 0
  })
}

/** Takes a scroll: back means to read, to the end (16 pixels) to follow again. A text that became shorter jumps, too. */
export function watchTail(box: Pick<HTMLElement, 'scrollTop' | 'scrollHeight' | 'clientHeight'>, tail: Tail) {
  const { scrollTop: top, scrollHeight: height, clientHeight } = box
  if (top < tail.top && height >= tail.height) tail.isHeld = true
  else if (top + clientHeight > height - 16) tail.isHeld = false
  Object.assign(tail, { top, height })
}
