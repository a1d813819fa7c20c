/** Counts what each client used in the last minute and today, and keeps it in a small file, over a restart. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { UsageError } from '../../core/provider/errors.ts'
import { toFileError } from '../../lib/file-error.ts'
import { type Lock, takeLock } from '../../lib/lock.ts'
import { writeWhole } from '../../lib/write-whole.ts'
import { type Amount, type ClientLimits, findReached, MINUTE_S, type Reached, type Used } from './limits.ts'

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

/** A request that was let in, with the most that it may take. */
export interface OpenRequest extends Amount {
  client: string
  /** Its own. */
  id: string
}

/** What counting a request says: it is let in if no limit is reached. */
export interface Verdict {
  used: Used
  reached?: Reached
}

/** Counts what clients use. Each call is one step: none of another request comes between its check and its count. */
export interface Counts {
  /** Counts a request that begins, if its client is below its limits. */
  begin(request: OpenRequest, limits: ClientLimits): Promise<Verdict>
  /** Counts the most that it may take, if its client is below its limits, and notes it in `request`. */
  reserve(request: OpenRequest, limits: ClientLimits, bound: Amount): Promise<Verdict>
  /** Ends a request: counts what it took, and no longer the most. Undefined if that is counted later. It does not reject. */
  settle(request: OpenRequest, took: Amount): Promise<Used | undefined>
  close(): Promise<void>
}

/** Options of counts in this process. */
export interface CountsOptions {
  /** Keeps the counts over a restart; absent: memory only. */
  file?: string
  log?: (line: string) => void
  /** Milliseconds since 1970. */
  now?: () => number
}

/**
 * Counts in this process. Reads the file, if there is one, and counts on. The file is written at most once a second, and at
 * the end.
 * @throws UsageError if another server uses it, or if it is another file
 */
export function createCounts(options: CountsOptions = {}): Counts {
  const tally = createTally(options)
  const running = createRunning()
  const look = (client: string): Used => ({ ...tally.of(client), open: running.of(client) })
  return {
    async begin(request, limits) {
      const reached = findReached(limits, look(request.client), false)
      if (!reached) {
        tally.add(request.client, 1, NEW)
        running.add(request, 1, request)
      }
      return { used: look(request.client), reached }
    },
    async reserve(request, limits, bound) {
      const reached = findReached(limits, look(request.client), true)
      if (!reached) {
        running.add(request, 0, { tokens: bound.tokens - request.tokens, cost: bound.cost - request.cost })
        Object.assign(request, bound)
      }
      return { used: look(request.client), reached }
    },
    async settle(request, took) {
      running.add(request, -1, { tokens: -request.tokens, cost: -request.cost })
      if (took.tokens > 0 || took.cost > 0) tally.add(request.client, 0, took)
      return look(request.client)
    },
    close: async () => tally.close(),
  }
}

/** Counts what clients used, and keeps it. */
function createTally({ file, now = Date.now, log = () => {} }: CountsOptions) {
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
    of(name: string): Omit<Used, 'open'> {
      const { minute, tokens, cost } = find(name) ?? NEW
      return { second: second(), minute, day: { tokens, cost } }
    },
    add(name: string, requests: number, { tokens, cost }: Amount) {
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
    close() {
      writer.end()
      lock?.release()
    },
  }
}

const NEW: Readonly<Client> = { tokens: 0, cost: 0, minute: [] }

/** Counts what runs of each client, with the most that it may take. */
function createRunning() {
  const running = new Map<string, Used['open']>()
  const of = (client: string) => running.get(client) ?? { requests: 0, tokens: 0, cost: 0 }
  const add = ({ client }: OpenRequest, requests: number, { tokens, cost }: Amount) => {
    const before = of(client)
    const after = {
      requests: before.requests + requests,
      tokens: before.tokens + tokens,
      cost: before.cost + cost,
    }
    if (after.requests > 0) running.set(client, after)
    else running.delete(client)
  }
  return { of, add }
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
