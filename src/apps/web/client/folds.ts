/** Which layers of a turn are open, and which are folded to a line. */
import { useRef, useState } from 'preact/hooks'
import { hasAnswerBegun, type RunView } from './run.ts'

/** The open layers of one turn. */
export interface Folds {
  isOpen(layer: number): boolean
  toggle(layer: number): void
  /** Called when the reader does something in an open layer: it then stays open. */
  touch(layer: number): void
  /** Opens a layer and scrolls to one of its cards. */
  show(layer: number, place: string): void
}

/** Folds the layers when the answer begins, except those that the reader opened or reads in. */
export function useFolds(run: RunView, turnElement: () => HTMLElement | null): Folds {
  const [chosen, setChosen] = useState<Record<number, boolean>>({})
  const latest = useRef(run)
  latest.current = run
  const isOpen = (layer: number) => chosen[layer] ?? !hasAnswerBegun(latest.current)
  const choose = (layer: number, isOpen: boolean) => setChosen((before) => ({ ...before, [layer]: isOpen }))
  return {
    isOpen,
    toggle: (layer) => choose(layer, !isOpen(layer)),
    touch: (layer) => {
      if (chosen[layer] === undefined && isOpen(layer)) choose(layer, true)
    },
    show: (layer, place) => {
      choose(layer, true)
      // The card has no place on the page before it is rendered.
      setTimeout(() => reveal(turnElement()?.querySelector<HTMLElement>(`[data-place="${place}"]`)), 30)
    },
  }
}

function reveal(card: HTMLElement | null | undefined): void {
  card?.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'smooth' })
  card?.querySelector<HTMLElement>('.body')?.focus({ preventScroll: true })
}
