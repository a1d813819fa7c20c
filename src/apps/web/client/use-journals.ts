/** The files that a reader has opened: journals, numbers of results, and what cannot be read. */
import { useState } from 'preact/hooks'
import { readSample } from './api.ts'
import { type Opened, readNow, useFollowFiles } from './follow-file.ts'
import type { Journal } from './journal.ts'
import { type Found, readOpened } from './opened.ts'
import type { Described } from './results.ts'

/** Keeps what is open, and reads a file again when it has grown. */
export function useJournals() {
  const [journals, setJournals] = useState<Journal[]>([])
  const [result, setResult] = useState<Described>()
  const [files, setFiles] = useState<Opened[]>([])
  const [error, setError] = useState('')
  const [isSample, setSample] = useState(false)
  const [reading, setReading] = useState('')
  const read = async (files: Opened[]) => {
    try {
      const found: Found[] = []
      for (const file of files) found.push(readOpened(file.name, await readNow(file)))
      const results = found.flatMap(({ results }) => results)
      setResult(
        results.length > 0 ? await (await import('./results.ts')).describeResults(results) : undefined,
      )
      setJournals(found.flatMap(({ journals }) => journals))
      setFiles(files)
      setError('')
      return true
    } catch (problem) {
      setError((problem as Error).message)
      return false
    }
  }
  useFollowFiles(files, () => void read(files))
  const open = async (opened: Opened[], isSecond: boolean) => {
    if (opened.length === 0) return
    const kept = isSecond ? files.slice(0, 1) : []
    setReading(opened.map(({ name }) => name).join(', '))
    if (await read([...kept, ...opened])) setSample(false)
    setReading('')
  }
  const openSamples = async () => {
    const sample = (name: Parameters<typeof readSample>[0]): Opened => ({
      name,
      read: () => readSample(name),
    })
    if (await read([sample('demo-single.jsonl'), sample('demo.jsonl')])) setSample(true)
  }
  const isFollowed = files.some(({ stamp }) => stamp !== undefined)
  return { journals, result, error, reading, open, openSamples, isSample, isFollowed }
}
