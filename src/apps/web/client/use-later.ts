/** Computes what takes time after the page has been painted. */
import { useEffect, useState } from 'preact/hooks'

/** Returns the last value that was computed. It is computed again when one of `inputs` changes. */
export function useLater<T>(compute: () => T, inputs: unknown[]): T | undefined {
  const [value, setValue] = useState<T>()
  useEffect(() => {
    const timer = setTimeout(() => setValue(compute()))
    return () => clearTimeout(timer)
  }, inputs)
  return value
}
