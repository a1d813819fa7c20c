/** Reads a file again while a program writes to it: one that was dropped, if the browser can, or one that the server shows. */
import { useEffect } from 'preact/hooks'
import { readRunPiece, readRuns } from './api.ts'

/** A file as the reader gave it. `read` returns its text of now. */
export interface Opened {
  name: string
  read: () => Promise<string>
  /** Size and time of the last change, if they can be asked again. */
  stamp?: () => Promise<string>
  /** The stamp from before it was last read. */
  seen?: string
}

interface Handle {
  kind: string
  getFile(): Promise<File>
}

/** Takes files from a list. They are read once. */
export function openedOf(files: FileList | null | undefined): Opened[] {
  return [...(files ?? [])].map((file) => ({ name: file.name, read: () => file.text() }))
}

/** Takes files that were dropped, in Chromium with a way to read them again. */
export async function droppedOf(data: DataTransfer | null): Promise<Opened[]> {
  const plain = openedOf(data?.files)
  const items = [...(data?.items ?? [])] as (DataTransferItem & {
    getAsFileSystemHandle?: () => Promise<Handle | null>
  })[]
  // All must be asked for before the first one comes: afterwards the browser forgets what was dropped.
  const handles = await Promise.all(items.map((item) => item.getAsFileSystemHandle?.().catch(() => null)))
  const live = handles.flatMap((handle) => (handle?.kind === 'file' ? [handle] : []))
  if (live.length === 0) return plain
  return Promise.all(
    live.map(async (handle) => ({
      name: (await handle.getFile()).name,
      read: async () => (await handle.getFile()).text(),
      stamp: async () => {
        const { size, lastModified } = await handle.getFile()
        return `${size} ${lastModified}`
      },
    })),
  )
}

/** Takes a journal that the server shows. Each time only the new lines are read. */
export function openedRun(place: number, name: string): Opened {
  let before = { file: '', next: 0 }
  let text = ''
  return {
    name,
    read: async () => {
      for (;;) {
        const piece = await readRunPiece(place, before)
        text = piece.from === 0 ? piece.text : text + piece.text
        before = piece
        if (piece.text === '') return text
      }
    },
    stamp: async () => String((await readRuns())[place]?.bytes),
  }
}

const stampOf = ({ stamp }: Opened) => stamp?.().catch(() => undefined)

/** Reads a file as it is now. What is written to it meanwhile is read the next time. */
export async function readNow(file: Opened): Promise<string> {
  const stamp = await stampOf(file)
  const text = await file.read()
  file.seen = stamp
  return text
}

const EVERY_MS = 2_000

/** Calls back each time one of the files has changed. */
export function useFollowFiles(files: Opened[], onChange: () => void): void {
  useEffect(() => {
    const followed = files.filter(({ stamp }) => stamp)
    if (followed.length === 0) return
    const look = async () => {
      const now = await Promise.all(followed.map(stampOf))
      if (followed.some(({ seen }, i) => now[i] !== undefined && now[i] !== seen)) onChange()
    }
    const timer = setInterval(look, EVERY_MS)
    return () => clearInterval(timer)
  }, [files])
}
