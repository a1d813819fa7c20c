/**
 * Makes `fingerprints.bin` from the benchmarks' official files: `node src/data/make-fingerprints.ts DIR`. DIR must have
 * alpaca-eval/outputs/gpt4_1106_preview.json, mt-bench/question.jsonl, gsm8k/test.jsonl and ifeval/input_data.jsonl.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { readBenchmark } from './benchmark-prompts.ts'
import { encodeFingerprints, makeFingerprints } from './fingerprints.ts'

const files = {
  'alpaca-eval': 'alpaca-eval/outputs/gpt4_1106_preview.json',
  'mt-bench': 'mt-bench/question.jsonl',
  'gsm8k-test': 'gsm8k/test.jsonl',
  ifeval: 'ifeval/input_data.jsonl',
}

/** Makes the bytes of `fingerprints.bin`. @throws DataError for a broken row */
export async function makeOwnFingerprints(folder: string): Promise<Buffer> {
  const sets = []
  for (const [name, file] of Object.entries(files)) {
    sets.push(makeFingerprints(name, await readBenchmark(path.join(folder, file))))
  }
  return encodeFingerprints(sets)
}

if (import.meta.main) {
  const folder = process.argv[2]
  if (folder === undefined) throw new Error('expected one argument: the folder of the benchmark files')
  writeFileSync(path.join(import.meta.dirname, 'fingerprints.bin'), await makeOwnFingerprints(folder))
}
