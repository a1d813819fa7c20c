/** Settings that `openEngine` takes. */
import type { Config } from './config.ts'

/** Settings of engines. Each kind of engine reads the settings that concern it. */
export interface OpenOptions {
  /** Where keys and addresses are looked up; default `process.env`. */
  env?: NodeJS.ProcessEnv
  /** What names mean: a config, or its file. Default: `aft.config.ts` of this folder, or another of `CONFIG_FILES`. */
  config?: Config | string
  /** Environment variable that holds the key, for servers. */
  apiKeyEnv?: string
  /** The server's address. Default: the usual one of the engine's name. */
  baseURL?: string
  /** Sent with each request to a server or provider; never shown. `${NAME}` is the value of a variable. */
  headers?: Record<string, string>
  /** Times that a failed completion is repeated; default 9. */
  maxRetries?: number
  /** Completions in flight for each endpoint; default 8. */
  concurrency?: number
  /** An attempt fails after this many milliseconds without data from the server. */
  timeoutMs?: number
  /** Fields that are added to the body of each request to a server. */
  extraBody?: Record<string, unknown>
  /** Tokens that a prompt and its completion may have together. */
  contextLength?: number
  /** CPU threads of an embedded model. */
  threads?: number
  /** GGUF adapter for an embedded model. */
  lora?: string
  /** An embedded base model: continues the messages' texts without a chat template. */
  raw?: boolean
  /** An embedded model that only counts tokens: its weights are not loaded. */
  vocabularyOnly?: boolean
  /** Where model files are kept. */
  cacheDir?: string
  signal?: AbortSignal
  onProgress?: (progress: { receivedBytes: number; totalBytes: number; label: string }) => void
}
