/** `--target` of `aft data build`: what it names, read from a file or written by an engine. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../../../core/provider/errors.ts'
import { type BuildOptions, promptText, selectDrafts, type Target } from '../../../data/build.ts'
import { readPrompt } from '../../../data/sources/responses.ts'
import { listFiles, readRecords } from '../../../files/rows/read-records.ts'
import { asFields, asText } from '../../../files/rows/row.ts'
import { createSpool } from '../../../lib/spool.ts'
import type { BuildFlags } from './build.ts'
import { type Labelled, labelRows } from './label.ts'

/** Engines sample as `aft data label` does. */
const TEMPERATURE = 0.7
const MAX_TOKENS = 1024

const isOfSource = (target: string) => target === 'gold' || target === 'best'

/** Without the place where it lies: for the data card. */
export function nameTarget(target: string): string {
  if (isOfSource(target)) return target
  return existsSync(target) ? 'a file' : `an engine: ${path.basename(target).split('#').at(-1)}`
}

interface Build {
  options: Omit<BuildOptions, 'rows' | 'target'>
  readRows: () => BuildOptions['rows']
  canReread: boolean
}

/**
 * The target of a build. An engine's go into `OUT.targets.jsonl.journal`, and are not asked for again; nothing where
 * not every row was tried.
 */
export async function findTarget(flags: BuildFlags, build: Build): Promise<Target | undefined> {
  const { target, targetTokens, targetSeed } = flags
  if (target === 'gold' || target === 'best') return target
  if (!existsSync(target)) return askEngine(flags, build)
  if (targetTokens !== undefined || targetSeed !== undefined) {
    throw new UsageError(
      `--target-tokens and --target-seed are for an engine, and --target ${target} is a file`,
    )
  }
  return readTargets(target)
}

/** Shown to the engine are the proposals that the examples will have; rows that are dropped anyway cost nothing. */
async function askEngine(
  flags: BuildFlags,
  { options, readRows, canReread }: Build,
): Promise<Target | undefined> {
  const { target: model, targetTokens, targetSeed, output, seed } = flags
  if (!canReread) {
    throw new UsageError(`--target ${model} reads the rows twice: give them as a file, not as standard input`)
  }
  const out = `${output.replace(/[\\/]+$/, '')}.targets.jsonl`
  const drafts = createSpool<Labelled>(`${out}.rows.tmp`)
  const ids: string[] = []
  try {
    for await (const { id, conversation, proposals } of selectDrafts({ ...options, rows: readRows() })) {
      drafts.put(id, { id, prompt: conversation, responses: proposals })
      ids.push(id)
    }
    if (ids.length === 0) return new Map()
    const rows = function* () {
      for (const id of ids) yield drafts.get(id) as Labelled
    }
    const sampling = {
      maxTokens: targetTokens ?? MAX_TOKENS,
      temperature: TEMPERATURE,
      seed: targetSeed ?? seed,
    }
    const targets = await labelRows(rows, { output: out, model, ...sampling }, options.template)
    if (!targets) return undefined
    const found = new Map<string, string>()
    for (const { id, prompt } of rows()) {
      const text = targets.get(id)
      if (text !== undefined) found.set(promptText(prompt), text)
    }
    targets.close()
    return found
  } catch (error) {
    if (!(error instanceof UsageError) || !error.message.startsWith('unknown engine')) throw error
    throw new UsageError(`--target ${model} is no file, and no engine: ${error.message}`)
  } finally {
    drafts.close()
  }
}

/** Answers of a file by prompt text: rows with a target, or one response each (a system's outputs). */
export async function readTargets(from: string): Promise<Map<string, string>> {
  const table = new Map<string, string>()
  for await (const { value, problem, file, line } of readRecords(listFiles(from))) {
    try {
      if (problem !== undefined) throw new Error(problem)
      const row = asFields(value)
      const text = asText(row.target ?? row.output ?? row.answer, 'output')
      table.set(promptText(readPrompt(row)), text)
    } catch (error) {
      throw new UsageError(`--target ${file}:${line}: ${(error as Error).message}`)
    }
  }
  return table
}
