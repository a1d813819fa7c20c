/** Settings that `openEngine` takes. */
import type { Config } from './config.ts'
import type { EngineSettings } from './engine-options.ts'

/** Settings of engines. Each kind of engine reads the settings that concern it. */
export interface OpenOptions extends EngineSettings {
  /** Where keys and addresses are looked up; default `process.env`. */
  env?: NodeJS.ProcessEnv
  /** What names mean: a config, or its file. Default: `aft.config.ts` of this folder, or another of `CONFIG_FILES`. */
  config?: Config | string
  /** An embedded model that only counts tokens: its weights are not loaded. */
  vocabularyOnly?: boolean
  /** Where model files are kept. */
  cacheDir?: string
  signal?: AbortSignal
  onProgress?: (progress: { receivedBytes: number; totalBytes: number; label: string }) => void
}
