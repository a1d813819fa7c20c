import type { AiSdkModel } from './ai-sdk.ts'

/** Whether a config's entry is an AI SDK model. Apart from the engine, so that nothing of it is loaded. */
export function isModel(entry: unknown): entry is AiSdkModel {
  return typeof entry === 'object' && entry !== null && 'doStream' in entry
}
