/** Settings that `openEngine` takes. */
import type { Config } from './config.ts'

/** Settings for whatever engine a name stands for; each reads those that concern it. */
export interface OpenOptions {
  /** Where keys and addresses are looked up; default `process.env`. */
  env?: NodeJS.ProcessEnv
  /** What names mean: a config, or its file. Default: `aft.config.ts` (or .mts, .js, .mjs, .json) of this folder. */
  config?: Config | string
  /** Environment variable that holds the key, for servers. */
  apiKeyEnv?: string
  /** The server's address, if it is not the usual one of the name. */
  baseURL?: string
  /** Sent with each request to a server or provider; never shown. `${NAME}` is the value of a variable. */
  headers?: Record<string, string>
  /** Times that a failed completion is repeated; default 9. */
  maxRetries?: number
  /** Completions in flight for each endpoint; default 8. */
  concurrency?: number
  /** Milliseconds that a server may say nothing. */
  timeoutMs?: number
  /** Joined to the body of each request to a server. */
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
