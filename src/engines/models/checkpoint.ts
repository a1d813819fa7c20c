/** A folder made by `aft train`, as a model file and its adapter. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataError } from '../../core/provider/errors.ts'
import { type Checkpoint, checkpointFile, checkpointRecord } from '../../files/checkpoint.ts'
import { describeIssue, inWords, parseJsonFile } from '../../files/json-file.ts'
import { readGgufHeader } from './gguf.ts'
import { type ResolveOptions, resolveModel } from './models.ts'

/** Whether a name is the folder of a trained model. */
export function isCheckpoint(name: string): boolean {
  return existsSync(join(name, checkpointFile))
}

/** A trained model: its file, and the adapter to apply. */
export interface OpenableCheckpoint {
  record: Checkpoint
  file: string
  lora?: string
}

/**
 * Reads the folder's record and finds its files; downloads the base if it is missing.
 * @throws DataError if the record or one of its files is wrong, UsageError if the base cannot be downloaded
 */
export async function readCheckpoint(
  folder: string,
  options: ResolveOptions = {},
): Promise<OpenableCheckpoint> {
  const record = readRecord(folder)
  const own = (name: string) => {
    const file = join(folder, name)
    if (existsSync(file)) return file
    throw new DataError(
      join(folder, checkpointFile),
      undefined,
      `expected the file ${name} beside it, but it does not exist`,
    )
  }
  const lora = record.adapter === undefined ? undefined : own(record.adapter)
  if (record.gguf !== undefined) return { record, file: own(record.gguf), lora }
  const { file } = await resolveModel(record.base?.model as string, options)
  return { record, file, lora }
}

/** Reads a folder's record. @throws DataError if it is wrong or missing */
export function readRecord(folder: string): Checkpoint {
  const file = join(folder, checkpointFile)
  const value = parseJsonFile(file, readFileSync(file, 'utf8'))
  const result = checkpointRecord.safeParse(value, inWords)
  const issue = result.error?.issues[0]
  if (issue) throw new DataError(file, undefined, describeIssue(issue, value))
  const record = result.data as Checkpoint
  if (record.gguf ?? record.base) return record
  throw new DataError(file, undefined, 'expected `gguf` or `base`')
}

/** Returns a warning if the chat template is not the one of the training: the model would see other prompts. */
export async function findTemplateChange({ record, file }: OpenableCheckpoint): Promise<string | undefined> {
  const { metadata } = await readGgufHeader(file)
  const template = metadata.get('tokenizer.chat_template')
  if (record.chatTemplateSha256 === undefined) return undefined
  const sha256 = createHash('sha256')
    .update(String(template ?? ''))
    .digest('hex')
  if (sha256 === record.chatTemplateSha256) return undefined
  return template === undefined
    ? `${file} has no chat template, but the model was trained with one`
    : `the chat template of ${file} is not the one that the model was trained with`
}
