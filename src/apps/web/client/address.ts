/** The address of what the page shows: a reload and the buttons of the browser bring it back. */
import { useEffect, useRef } from 'preact/hooks'

/** What an address names. */
export type Place = { view: 'chat'; id?: string } | { view: 'journal' }

/** Reads the part of the address after `#`. */
export function readPlace(hash: string): Place {
  if (hash === '#journals') return { view: 'journal' }
  const [, id] = /^#c=([\w-]{1,64})$/.exec(hash) ?? []
  return { view: 'chat', id }
}

function hashOf(place: Place): string {
  if (place.view === 'journal') return '#journals'
  return place.id === undefined ? '' : `#c=${place.id}`
}

/** Keeps the address as the place is. @param onGo called with the place of another address, and once at the start */
export function useAddress(place: Place, onGo: (place: Place) => void): void {
  const hash = hashOf(place)
  const latest = useRef(onGo)
  latest.current = onGo
  useEffect(() => {
    const go = () => latest.current(readPlace(location.hash))
    if (location.hash) go()
    addEventListener('popstate', go)
    return () => removeEventListener('popstate', go)
  }, [])
  useEffect(() => {
    if (hash !== location.hash) history.pushState(null, '', hash || location.pathname + location.search)
  }, [hash])
}
