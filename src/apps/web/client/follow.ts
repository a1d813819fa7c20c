/** Follows the end of a growing answer, as chats do, until the reader scrolls back or presses something in it. */
import { useEffect, useRef, useState } from 'preact/hooks'

/** How near the end of the answer must be to the visible end to be followed again, in pixels. */
const NEAR_PX = 24

/** How long the page still grows after the end of a run: sources and actions appear below the answer. */
const AFTER_MS = 1_000

/** What the page needs to know of following. */
export interface Follow {
  /** True if the answer grows below what the reader sees, because the reader scrolled back. */
  isBehind: boolean
  /** Goes to the end of the answer and follows it again. */
  catchUp: () => void
}

/** Scrolls to a new question, then keeps the end of its answer visible while it grows, and at last its actions. */
export function useFollow(turns: number, isRunning: boolean): Follow {
  const isFollowing = useRef(true)
  const before = useRef(turns)
  const [isBehind, setBehind] = useState(false)
  useEffect(() => {
    if (turns > before.current) {
      isFollowing.current = true
      // A smooth scroll would end where the next change of the page finds it.
      document
        .querySelector('.chat-turn:last-of-type .turn')
        ?.scrollIntoView({ block: 'start', behavior: 'instant' })
    }
    before.current = turns
  }, [turns])
  useEffect(() => {
    if (!isRunning) return
    isFollowing.current = true
    const stop = watch(isFollowing, setBehind)
    return () => void setTimeout(stop, AFTER_MS)
  }, [isRunning, turns])
  const catchUp = () => {
    isFollowing.current = true
    setBehind(false)
    window.scrollBy({ top: hiddenPx(), behavior: 'smooth' })
  }
  return { isBehind: isBehind && isRunning, catchUp }
}

/** How far the end of the last answer, with its actions, is below what is visible above the field, in pixels. */
function hiddenPx(): number {
  const ends = document.querySelectorAll('.chat-turn:last-of-type :is(.answer-text, .turn-bar, .rating)')
  const end = [...ends].at(-1)
  const field = document.querySelector('.composer')
  if (!end || !field) return 0
  return end.getBoundingClientRect().bottom - field.getBoundingClientRect().top
}

function watch(isFollowing: { current: boolean }, setBehind: (isBehind: boolean) => void): () => void {
  let lastTop = window.scrollY
  let lastHeight = document.documentElement.scrollHeight
  const onGrow = () => {
    const hidden = hiddenPx()
    if (hidden > 0 && isFollowing.current) window.scrollBy({ top: hidden, behavior: 'instant' })
    else setBehind(hidden > NEAR_PX && !isFollowing.current)
  }
  const onScroll = () => {
    const [top, height] = [window.scrollY, document.documentElement.scrollHeight]
    // When layers fold, the page becomes shorter and its place jumps back: no reader did that.
    if (top < lastTop - 2 && height >= lastHeight) isFollowing.current = false
    else if (top > lastTop && hiddenPx() < NEAR_PX) isFollowing.current = true
    ;[lastTop, lastHeight] = [top, height]
    if (isFollowing.current) setBehind(false)
  }
  /** Who opens or marks something in a turn reads there. */
  const onPress = ({ target }: Event) => {
    if (target instanceof Element && target.closest('.chat-turn')) isFollowing.current = false
  }
  const observer = new ResizeObserver(onGrow)
  const main = document.querySelector('main')
  if (main) observer.observe(main)
  addEventListener('scroll', onScroll, { passive: true })
  addEventListener('click', onPress)
  return () => {
    observer.disconnect()
    removeEventListener('scroll', onScroll)
    removeEventListener('click', onPress)
  }
}
