/** A folder made by `aft train`, as a model file and its adapter. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataError, UsageError } from '../../core/provider/errors.ts'
import { type Checkpoint, readRecord } from '../../files/checkpoint.ts'
import { checkpointFile } from '../../files/find-checkpoint.ts'
import { readGgufHeader } from './gguf.ts'
import { type ResolveOptions, resolveModel } from './models.ts'

/** A trained model: its file, and the adapters to apply. */
export interface OpenableCheckpoint {
  record: Checkpoint
  file: string
  lora: string[]
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
    const wrong = (what: string) => new DataError(join(folder, checkpointFile), undefined, what)
    if (!existsSync(file)) throw wrong(`expected the file ${name} beside it, but it does not exist`)
    const expected = record.files?.[name]
    const got = expected === undefined ? undefined : hash(readFileSync(file))
    if (got === expected) return file
    throw wrong(`expected ${name} to have SHA-256 ${expected}, got ${got}: install the package again`)
  }
  const lora = [record.adapter ?? []].flat().map(own)
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
  if (hash(String(template ?? '')) === record.chatTemplateSha256) return undefined
  return template === undefined
    ? `${file} has no chat template, but the model was trained with one`
    : `the chat template of ${file} is not the one that the model was trained with`
}

function hash(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
