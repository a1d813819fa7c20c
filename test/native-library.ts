/** The native library as it is, on the CPU and quiet: what tests and benches compare the embedded engine with. */
import { getLlama, type Llama, LlamaLogLevel } from 'node-llama-cpp'

/** Opens it. @param maxThreads that its contexts may use together; its own default if absent */
export function openLibrary(maxThreads?: number): Promise<Llama> {
  const quiet = { progressLogs: false, logLevel: LlamaLogLevel.error }
  const most = maxThreads === undefined ? {} : { maxThreads }
  return getLlama({ gpu: false, build: 'never', skipDownload: true, ...quiet, ...most })
}
