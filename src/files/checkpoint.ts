/** What a training run leaves for inference: `aft-model.json`, the only file of its folder that other stages read. */
import { join } from 'node:path'
import { z } from 'zod'
import { DataError } from '../core/provider/errors.ts'
import { checkpointFile } from './find-checkpoint.ts'
import { describeIssue, inWords, parseJsonFile } from './json-file.ts'
import { readText } from './read-text.ts'

/**
 * Weights are `gguf` of this folder, or those of `base`; `adapter` of this folder goes on top. With neither, the folder's
 * weights are for other servers.
 */
export const checkpointRecord = z.looseObject({
  type: z.literal('checkpoint'),
  version: z.literal(1),
  /** A GGUF file that holds the whole model. */
  gguf: z.string().optional(),
  /** The model that was tuned: a name that opens it, and the SHA-256 of its file. */
  base: z.looseObject({ model: z.string(), sha256: z.string() }).optional(),
  /** A GGUF file that holds a LoRA adapter. Several are added up: each was trained on the weights with those before it. */
  adapter: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** SHA-256 of these files, by name: checked when the model is opened. */
  files: z.record(z.string(), z.string()).optional(),
  /**
   * Wordings of the roles that the examples were made with. A hash is absent if the data do not have it. `wording` is the
   * whole template, if it is not built in.
   */
  templates: z.array(
    z.looseObject({ id: z.string(), sha256: z.string().optional(), wording: z.unknown().optional() }),
  ),
  /** SHA-256 of the chat template that the rows were rendered with. */
  chatTemplateSha256: z.string().optional(),
  /** Options of a plan as in training. The engine `.` is this model, `./NAME` one in a folder of its own. */
  options: z.looseObject({}).optional(),
  /** One line for `aft models`. */
  about: z.string().optional(),
  license: z.string().optional(),
})

/** What `aft-model.json` holds. */
export type Checkpoint = z.infer<typeof checkpointRecord>

/** Reads a folder's record. @throws DataError if it is wrong or missing */
export function readRecord(folder: string): Checkpoint {
  const file = join(folder, checkpointFile)
  const value = parseJsonFile(file, readText(file))
  const result = checkpointRecord.safeParse(value, inWords)
  const issue = result.error?.issues[0]
  if (issue) throw new DataError(file, undefined, describeIssue(issue, value))
  return result.data as Checkpoint
}
