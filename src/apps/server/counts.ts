/** Counts what each client used in the last minute and today, and keeps it in a small file. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { UsageError } from '../../core/provider/errors.ts'
import { toFileError } from '../../lib/file-error.ts'
import { type Lock, takeLock } from '../../lib/lock.ts'
import { writeWhole } from '../../lib/write-whole.ts'

/** Seconds of the window that limits per minute look at. */
export const MINUTE_S = 60
/** Without keys a client is an address, and there are very many of those. */
const MAX_CLIENTS = 10_000
const MAX_FILE_BYTES = 64 << 20
const WRITE_MS = 1_000

const amount = z.number().min(0).max(1e15)
const fileSchema = z.strictObject({
  version: z.literal(1),
  day: z.string().max(10),
  clients: z.record(
    z.string(),
    z.strictObject({
      tokens: amount,
      cost: amount,
      /** Second, requests, tokens. */
      minute: z.array(z.tuple([amount, amount, amount])).max(MINUTE_S + 1),
    }),
  ),
})

type Client = z.infer<typeof fileSchema>['clients'][string]

/** What was used. */
export interface Used {
  requests: number
  tokens: number
  cost: number
}

/** The counts of all clients. */
export interface Counts {
  add(client: string, used: Used): void
  /** In the last 60 seconds. */
  minute(client: string): Omit<Used, 'cost'>
  /** Since midnight UTC. */
  day(client: string): Omit<Used, 'requests'>
  /** Seconds until the last minute has less than `limit`; 0 if it has now. */
  wait(client: string, what: 'requests' | 'tokens', limit: number): number
  close(): void
}

/**
 * Reads the file, if there is one, and counts on. The file is written at most once a second, and at the end.
 * @throws UsageError if another server uses it, or if it is another file
 */
export function createCounts({
  file,
  now,
  log,
}: {
  file: string | undefined
  now: () => number
  log: (line: string) => void
}): Counts {
  const clients = new Map<string, Client>()
  const { lock, day: found } = file === undefined ? {} : open(file, clients, now())
  let day = found ?? dayOf(now())
  const writer = createWriter(file, () => ({ version: 1, day, clients: Object.fromEntries(clients) }), log)
  const second = () => Math.floor(now() / 1_000)
  const find = (name: string): Client | undefined => {
    const today = dayOf(now())
    if (today !== day) {
      day = today
      for (const client of clients.values()) client.tokens = client.cost = 0
    }
    const client = clients.get(name)
    while (client?.minute[0] && client.minute[0][0] <= second() - MINUTE_S) client.minute.shift()
    return client
  }
  return {
    add(name, { requests, tokens, cost }) {
      const client = find(name) ?? begin(clients, name)
      client.tokens += tokens
      client.cost += cost
      const last = client.minute.at(-1)
      if (last && last[0] >= second()) {
        last[1] += requests
        last[2] += tokens
      } else client.minute.push([second(), requests, tokens])
      writer.soon()
    },
    minute(name) {
      const minute = find(name)?.minute ?? []
      return { requests: sum(minute.map(([, n]) => n)), tokens: sum(minute.map(([, , n]) => n)) }
    },
    day: (name) => find(name) ?? { tokens: 0, cost: 0 },
    wait(name, what, limit) {
      const minute = find(name)?.minute ?? []
      const at = what === 'requests' ? 1 : 2
      let left = sum(minute.map((each) => each[at]))
      for (const each of minute) {
        if (left < limit) return 0
        left -= each[at]
        if (left < limit) return Math.max(1, each[0] + MINUTE_S - second())
      }
      return 0
    },
    close() {
      writer.end()
      lock?.release()
    },
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** If there are too many clients, the one that used least today is forgotten. */
function begin(clients: Map<string, Client>, name: string): Client {
  if (clients.size >= MAX_CLIENTS) {
    let [least, tokens] = ['', Number.POSITIVE_INFINITY]
    for (const [other, used] of clients) if (used.tokens < tokens) [least, tokens] = [other, used.tokens]
    clients.delete(least)
  }
  const client: Client = { tokens: 0, cost: 0, minute: [] }
  clients.set(name, client)
  return client
}

function open(file: string, clients: Map<string, Client>, nowMs: number): { lock?: Lock; day?: string } {
  const lock = takeLock(`${file}.lock`)
  if (!lock) throw new UsageError(`${file}: another server counts in this file; give each server its own`)
  try {
    return { lock, day: load(file, clients, nowMs) }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Fills the clients from the file, and returns its day. Times in the future, of a clock that was wrong, are left out. */
function load(file: string, clients: Map<string, Client>, nowMs: number): string | undefined {
  if (!existsSync(file)) return undefined
  const wrong = `${file}: expected what \`aft serve\` writes there; if it is damaged, remove it: then the counts begin at 0`
  try {
    if (!statSync(file).isFile() || statSync(file).size > MAX_FILE_BYTES) throw new UsageError(wrong)
    const content = fileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    if (!content.success) throw new UsageError(wrong)
    for (const [name, client] of Object.entries(content.data.clients)) {
      clients.set(name, { ...client, minute: client.minute.filter(([second]) => second * 1_000 <= nowMs) })
    }
    return content.data.day
  } catch (error) {
    if (error instanceof UsageError) throw error
    if (error instanceof SyntaxError) throw new UsageError(wrong)
    throw new UsageError((toFileError(file, error) as Error).message)
  }
}

/** Writes soon, but seldom. If the disk is full it says so once, and counts on in memory. */
function createWriter(file: string | undefined, content: () => object, log: (line: string) => void) {
  let timer: NodeJS.Timeout | undefined
  let isTold = false
  const write = () => {
    timer = undefined
    if (file === undefined) return
    try {
      writeWhole(file, `${JSON.stringify(content())}\n`)
      isTold = false
    } catch (error) {
      if (!isTold) log(`what clients used is not kept: ${(error as Error).message}`)
      isTold = true
    }
  }
  const soon = () => {
    if (file !== undefined) timer ??= setTimeout(write, WRITE_MS).unref()
  }
  const end = () => {
    clearTimeout(timer)
    write()
  }
  return { soon, end }
}
