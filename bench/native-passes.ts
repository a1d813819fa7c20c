/** Passes of the native library without the engine around it, for the benches that measure what a pass costs. */
import type { LlamaContext } from 'node-llama-cpp'
import type { NativeContext } from '../src/engines/embedded/native.ts'

/** Tokens of a prompt that are read in one pass. */
export const CHUNK = 256
/** Any tokens will do: time does not depend on them. */
export const tokens = Uint32Array.from({ length: 1024 }, (_, i) => 500 + ((i * 7919) % 40_000))

export const nativeOf = (context: LlamaContext) => (context as unknown as { _ctx: NativeContext })._ctx

/** Reads the first `length` tokens into sequence 0, in passes of `chunk`. */
export async function readPrompt(native: NativeContext, length: number, chunk = CHUNK): Promise<void> {
  for (let at = 0; at < length; at += chunk) {
    const part = tokens.slice(at, Math.min(length, at + chunk))
    native.initBatch(part.length)
    native.addToBatch(0, at, part, new Uint32Array())
    await native.decodeBatch()
  }
}

/** Adds a token for each sequence to the pass, at the place `at`. */
export function addWritten(native: NativeContext, sequences: number, at: number): void {
  for (let sequence = 0; sequence < sequences; sequence++)
    native.addToBatch(sequence, at, tokens.slice(at, at + 1), Uint32Array.of(0))
}

/** One pass with a token for each sequence, at the place `at`. */
export async function writeTokens(native: NativeContext, sequences: number, at: number): Promise<void> {
  native.initBatch(sequences)
  addWritten(native, sequences, at)
  await native.decodeBatch()
}

/** Processor time of `work`, in milliseconds. */
export async function timeCpu(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
