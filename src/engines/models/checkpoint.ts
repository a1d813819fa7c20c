/** A folder made by `aft train`, as a model file and its adapter. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DataError, UsageError } from '../../core/provider/errors.ts'
import { type Checkpoint, checkpointFile, readRecord } from '../../files/checkpoint.ts'
import { readGgufHeader } from './gguf.ts'
import { type ResolveOptions, resolveModel } from './models.ts'

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
  if (!record.base) {
    const advice = 'serve it (vllm serve, after `aft train export`), and name it as URL#NAME'
    throw new UsageError(`${folder}: has no GGUF file to run in this process; ${advice}`)
  }
  const { file } = await resolveModel(record.base.model, options)
  return { record, file, lora }
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
