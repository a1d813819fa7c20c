/** The journal of a run: what its lines mean, and the layers that an interrupted run left in it. */
import type { Plan } from '../core/plan.ts'
import { UsageError } from '../core/provider/errors.ts'
import type { LayerResult } from '../core/result.ts'
import { hashTemplate, type Template } from '../core/templates.ts'
import { type JournalFile, type JournalFormat, openJournal } from '../lib/journal-file.ts'
import {
  type CompletionRecord,
  type FailureRecord,
  type HeaderRecord,
  type JournalRecord,
  journalRecord,
} from './journal-records.ts'

/** A line that belongs to a prompt. */
export type PromptLine = Exclude<JournalRecord, HeaderRecord>
export type RunJournal = JournalFile<PromptLine>

/** A layer as a journal holds it. `isClosed` says that it had ended: deeper layers may be built on it. */
export interface RecordedLayer extends LayerResult {
  isClosed: boolean
}

/** What a journal is bound to. */
export interface RunIdentity {
  plan: Plan
  template: Template
  /** Engine ids, by the names that the plan uses. */
  engines: Record<string, string>
  /** Version of this program; another one may go on with the journal. */
  version: string
}

/**
 * Opens a run's journal, or begins it.
 * @param options `onLine` is told of every line that is already there; `restart` puts them aside instead
 * @throws UsageError where it was begun with another plan, template or engines (the difference is shown)
 */
export function openRunJournal(
  file: string,
  identity: RunIdentity,
  { onLine, restart = false }: { onLine: (line: PromptLine) => void; restart?: boolean },
): Promise<RunJournal> {
  const header = headerOf(identity)
  const format: JournalFormat<PromptLine> = {
    header,
    checkHeader: (found) => checkHeader(file, header, found),
    parse: (value) => parseLine(value),
    keyOf: (line) => (line.type === 'prompt' ? line.id : line.prompt),
    roleOf,
    onLine,
  }
  return openJournal(file, format, { restart })
}

function headerOf({ plan, template, engines, version }: RunIdentity): HeaderRecord {
  const { id } = template
  return {
    type: 'header',
    version: 1,
    aft: version,
    plan,
    template: { id, sha256: hashTemplate(template) },
    engines,
  }
}

function parseLine(value: object): PromptLine {
  const result = journalRecord.safeParse(value)
  const issue = result.error?.issues[0]
  if (issue) throw new Error(`${issue.path.join('.') || 'the line'}: ${issue.message}`)
  if ((value as JournalRecord).type === 'header') throw new Error('a second header')
  return value as PromptLine
}

function roleOf(line: PromptLine) {
  if (line.type === 'prompt') return 'item'
  if (line.type !== 'answer') return 'part'
  return 'error' in line ? 'failed' : 'done'
}

const MAX_SHOWN = 6

function checkHeader(file: string, now: HeaderRecord, found: object): void {
  if ((found as HeaderRecord).type !== 'header') {
    throw new UsageError(`${file} is no journal of this program; give another -o`)
  }
  const pick = ({ version, plan, template, engines }: HeaderRecord) => ({ version, plan, template, engines })
  const differences = compare(pick(found as HeaderRecord), pick(now))
  if (differences.length === 0) return
  const shown = differences.slice(0, MAX_SHOWN).map((d) => `  ${d}`)
  if (differences.length > MAX_SHOWN) shown.push(`  and ${differences.length - MAX_SHOWN} more`)
  throw new UsageError(
    `${file} was begun with other settings:\n${shown.join('\n')}\n` +
      'Run with its settings to go on with it, give another -o, or start over with --restart',
  )
}

/** Each place at which two JSON values differ, in words. */
function compare(journal: unknown, now: unknown, path = ''): string[] {
  if (isRecord(journal) && isRecord(now)) {
    const keys = new Set([...Object.keys(journal), ...Object.keys(now)])
    return [...keys].flatMap((key) =>
      compare(journal[key], now[key], joinPath(path, key, Array.isArray(now))),
    )
  }
  if (Object.is(journal, now)) return []
  const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80))
  return [`${path}: the journal has ${show(journal)}, now it is ${show(now)}`]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function joinPath(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

/**
 * The layers of a prompt that an interrupted run left. Of what one engine made of one member the last counts: an
 * attempt that failed was made again.
 */
export function layersOf(lines: PromptLine[]): RecordedLayer[] {
  const layers: RecordedLayer[] = []
  const layerAt = (depth: number): RecordedLayer => {
    while (layers.length <= depth) layers.push({ completions: [], failures: [], isClosed: false })
    return layers[depth] as RecordedLayer
  }
  for (const line of lines) {
    if (line.type === 'layer') layerAt(line.layer).isClosed = true
    if (line.type !== 'completion' && line.type !== 'failure') continue
    const layer = layerAt(line.layer)
    const isOther = (made: { index: number; engine: string }) =>
      made.index !== line.index || made.engine !== line.engine
    layer.failures = layer.failures.filter(isOther)
    if (line.type === 'completion') layer.completions.push(withoutPlace(line))
    else layer.failures.push(withoutPlace(line))
  }
  return layers
}

function withoutPlace<T extends CompletionRecord | FailureRecord>(
  line: T,
): Omit<T, 'type' | 'prompt' | 'layer'> {
  const { type, prompt, layer, ...made } = line
  return made
}
