/** What a training run leaves for inference: `aft-model.json`, the only file of its folder that other stages read. */
import { z } from 'zod'

/** The name of the file that makes a folder a model. */
export const checkpointFile = 'aft-model.json'

/** Weights are `gguf` of this folder, or those of `base`; `adapter` of this folder goes on top. */
export const checkpointRecord = z.looseObject({
  type: z.literal('checkpoint'),
  version: z.literal(1),
  /** A GGUF file that holds the whole model. */
  gguf: z.string().optional(),
  /** The model that was tuned: a name that opens it, and the SHA-256 of its file. */
  base: z.looseObject({ model: z.string(), sha256: z.string() }).optional(),
  /** A GGUF file that holds a LoRA adapter. */
  adapter: z.string().optional(),
  /** Wordings of the roles that the examples were made with. A hash is absent if the data do not have it. */
  templates: z.array(z.looseObject({ id: z.string(), sha256: z.string().optional() })),
  /** SHA-256 of the chat template that the rows were rendered with. */
  chatTemplateSha256: z.string().optional(),
})

/** What `aft-model.json` holds. */
export type Checkpoint = z.infer<typeof checkpointRecord>
