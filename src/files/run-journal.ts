/** The journal of a run: opened to be resumed, or only read. `journal-prompts.ts` says what its lines mean. */
import { existsSync } from 'node:fs'
import type { Plan } from '../core/plan.ts'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import { type JournalFile, type JournalFormat, openJournal } from '../lib/journal-file.ts'
import { readJsonl } from '../lib/jsonl.ts'
import { checkReplaceable } from '../lib/write-whole.ts'
import { builtInTemplates } from '../plans/wordings.ts'
import { checkSettings } from './journal-header.ts'
import {
  createJournalPrompts,
  type JournalLayer,
  type JournalPrompt,
  takePart,
  takeRecord,
} from './journal-prompts.ts'
import type { HeaderRecord, JournalRecord } from './journal-records.ts'

/** A line that belongs to a prompt. */
export type PromptLine = Exclude<JournalRecord, HeaderRecord>
/** The open journal of a run. */
export type RunJournal = JournalFile<PromptLine>

/** What a journal is bound to. */
export interface RunIdentity {
  plan: Plan
  template: Template
  /** Engine ids, by the names that the plan uses. */
  engines: Record<string, string>
  /** Version of this program; another one may resume the journal. */
  version: string
}

/**
 * Opens a run's journal, or begins it.
 * @param options `onLine` is called with every line that is already there; `restart` moves them away instead
 * @throws UsageError if it was begun with another plan, template or engines (the difference is shown)
 */
export async function openRunJournal(
  file: string,
  identity: RunIdentity,
  { onLine, restart = false }: { onLine: (line: PromptLine) => void; restart?: boolean },
): Promise<RunJournal> {
  const header = headerOf(identity)
  const { parseRecord } = await import('./journal-records.ts')
  const format: JournalFormat<PromptLine> = {
    header,
    checkHeader: (found) => checkHeader(file, header, found),
    parse: (value) => toPromptLine(parseRecord(value)),
    keyOf: (line) => (line.type === 'prompt' ? line.id : line.prompt),
    roleOf,
    onLine,
  }
  return openJournal(file, format, { restart })
}

/** The header of a run's journal. */
export function headerOf({ plan, template, engines, version }: RunIdentity): HeaderRecord {
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

function toPromptLine(record: JournalRecord): PromptLine {
  if (record.type === 'header') throw new Error('a second header')
  return record
}

function roleOf(line: PromptLine) {
  if (line.type === 'prompt') return 'item'
  if (line.type !== 'answer') return 'part'
  return 'error' in line ? 'failed' : 'done'
}

function checkHeader(file: string, now: HeaderRecord, found: object): void {
  if ((found as HeaderRecord).type !== 'header') {
    throw new UsageError(`${file} is no journal of this program; give another -o`)
  }
  const pick = ({ version, plan, template, engines }: HeaderRecord) => ({ version, plan, template, engines })
  checkSettings(file, pick(found as HeaderRecord), pick(now))
}

/**
 * The plan with which a journal is resumed. Earlier versions wrote sampling settings that nobody had asked for; if the
 * journal has these and the plan has nothing in their place, the run continues with them.
 * @param isOpen whether nobody named a template: the run then keeps a built-in one of the journal
 */
export async function planToResume(file: string, plan: Plan, isOpen = false): Promise<Plan> {
  const header = await readHeader(file)
  const found = header?.plan
  const begun = builtInTemplates.find((known) => hashTemplate(known) === header?.template.sha256)
  const template = (isOpen && begun?.id) || plan.template
  const layers = plan.layers.map((layer, depth) => ({
    ...layer,
    voices: layer.voices.map((voice, i) => {
      const before = found?.layers[depth]?.voices?.[i]?.sampling ?? {}
      const filled = Object.entries(before).filter(([name, value]) => FORMER_DEFAULTS[name]?.includes(value))
      return { ...voice, sampling: { ...Object.fromEntries(filled), ...voice.sampling } }
    }),
  }))
  return { ...plan, layers, template }
}

/** What versions up to 0.1 filled in; a last layer had the `topP` 1. */
const FORMER_DEFAULTS: Record<string, unknown[]> = { temperature: [0.7], topP: [0.95, 1], maxTokens: [1024] }

/** Undefined if there is no journal yet, or nothing that can be read as one: to open it tells why. */
async function readHeader(file: string): Promise<HeaderRecord | undefined> {
  checkReplaceable(file)
  if (!existsSync(file)) return undefined
  try {
    const { parseRecord } = await import('./journal-records.ts')
    for await (const { value } of readJsonl(file, { tornTail: 'skip' })) {
      const record = parseRecord(value)
      return record.type === 'header' ? record : undefined
    }
  } catch {}
  return undefined
}

/** The layers that an interrupted run left of a prompt, from its lines. */
export function layersOf(lines: PromptLine[]): JournalLayer[] {
  const layers: JournalLayer[] = []
  for (const line of lines) if (line.type !== 'prompt' && line.type !== 'answer') takePart(layers, line)
  return layers
}

/** A journal that is only read. All its prompts are in memory. */
export interface JournalContent {
  file: string
  header: HeaderRecord
  prompts: JournalPrompt[]
}

/**
 * Reads a journal that `aft run` wrote, complete or not.
 * @throws DataError with the line that belongs to no journal, FileError if the file cannot be read
 */
export async function readRunJournal(file: string): Promise<JournalContent> {
  const { parseRecord } = await import('./journal-records.ts')
  const journal = createJournalPrompts()
  for await (const { value, line } of readJsonl(file, { tornTail: 'skip' })) {
    try {
      takeRecord(journal, parseRecord(value))
    } catch (error) {
      const hint = line === 1 ? '. The journal of `aft run -o FILE` is FILE.journal' : ''
      throw new DataError(file, line, `${(error as Error).message}${hint}`)
    }
  }
  const { header, prompts } = journal
  if (!header) throw new DataError(file, undefined, 'expected a journal of `aft run`, got no header')
  return { file, header, prompts: [...prompts.values()] }
}
