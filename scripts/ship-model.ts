/**
 * Makes a trained adapter a model of the package: `aft ask --model NAME` then opens it.
 *
 *     node scripts/ship-model.ts ADAPTER -o models/NAME --proposer ADAPTER --template FILE --notes CARD.md
 *
 * ADAPTER is a folder of `aft train` or of PEFT (adapter_config.json). Several are added up, in the order of training:
 * each was trained on the merged weights with those before it. Of a model that was trained with all its weights the change
 * becomes an adapter of --rank. Without --proposer the model proposes itself.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { findGguf } from '../src/apps/cli/train/run.ts'
import { hashTemplate, type Template } from '../src/core/provider/template.ts'
import { readGgufHeader } from '../src/engines/models/gguf.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { type Checkpoint, readRecord } from '../src/files/checkpoint.ts'
import { checkpointFile, isCheckpoint } from '../src/files/find-checkpoint.ts'
import { licenseFacts } from '../src/files/hub-card.ts'
import { listShards } from '../src/files/list-shards.ts'
import { readTemplate } from '../src/files/template-file.ts'
import { hashFiles, prepareBase } from '../src/train/base.ts'
import { findEnvironment, runLoud, setUpEnvironment, trainerFolder } from '../src/train/environment.ts'
import { convertAdapter } from '../src/train/finish.ts'

const { values: flags, positionals: adapters } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: 'string', short: 'o' },
    proposer: { type: 'string', multiple: true, default: [] },
    base: { type: 'string', default: 'smollm2' },
    template: { type: 'string' },
    data: { type: 'string' },
    width: { type: 'string', default: '4' },
    depth: { type: 'string', default: '1' },
    /** Of the proposals; the answer has `answer-temperature`. */
    temperature: { type: 'string', default: '1' },
    'answer-temperature': { type: 'string', default: '0' },
    'max-tokens': { type: 'string', default: '96' },
    /** f16, or q8_0 for adapters whose rank is a multiple of 32. */
    outtype: { type: 'string', default: 'f16' },
    rank: { type: 'string', default: '16' },
    about: { type: 'string', default: 'SmolLM2 135M, trained to merge drafts' },
    license: { type: 'string', default: 'Apache-2.0' },
    notes: { type: 'string' },
  },
})

const refuse = (what: string): never => {
  console.error(`error: ${what}`)
  process.exit(2)
}
const out = flags.output ?? refuse('expected -o FOLDER, such as models/aft-routes')
const last = adapters.at(-1) ?? refuse('expected the folder of an adapter')
const numberOf = (name: 'width' | 'depth' | 'temperature' | 'answer-temperature' | 'max-tokens') =>
  Number.isFinite(Number(flags[name])) ? Number(flags[name]) : refuse(`--${name}: expected a number`)

/** The folder that PEFT wrote, or that the change of all weights is written to. */
async function findAdapter(folder: string): Promise<string> {
  const places = [folder, path.join(folder, 'model')]
  const place = places.find((place) => existsSync(path.join(place, 'adapter_config.json')))
  if (place === undefined) return extractAdapter(folder, places)
  const config = JSON.parse(readFileSync(path.join(place, 'adapter_config.json'), 'utf8'))
  for (const name of ['use_dora', 'use_rslora', 'modules_to_save', 'trainable_token_indices'])
    if (config[name]) refuse(`${place}: llama.cpp applies no adapter with ${name}`)
  for (const name of ['alpha_pattern', 'rank_pattern'])
    if (Object.keys(config[name] ?? {}).length > 0)
      refuse(`${place}: llama.cpp applies no adapter with ${name}`)
  return place
}

async function extractAdapter(folder: string, places: string[]): Promise<string> {
  const trained = places.find((place) => existsSync(path.join(place, 'model.safetensors')))
  if (trained === undefined)
    return refuse(
      `${folder}: expected adapter_config.json or model.safetensors in it, or in its folder model`,
    )
  const script = path.join(trainerFolder, 'low_rank.py')
  const out = mkdtempSync(path.join(tmpdir(), 'aft-adapter-'))
  await runLoud(settings.python, [script, base.model, trained, out, flags.rank], settings)
  return out
}

async function chooseTemplate(): Promise<Template> {
  if (flags.template !== undefined) return readTemplate(flags.template)
  return isCheckpoint(last)
    ? readTemplate(last)
    : refuse('expected --template, the file that the rows were made with')
}

/** The files of the proposer, as the folder of the model has them. */
function filesOf(proposer: Checkpoint | undefined): Record<string, string> {
  const files = Object.entries(proposer?.files ?? {})
  return Object.fromEntries(files.map(([name, hash]) => [`proposer/${name}`, hash]))
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

/** Converts adapters, except those that the proposer has already, and writes the record that opens the folder. */
async function write(folder: string, from: string[], rest: Partial<Checkpoint>): Promise<Checkpoint> {
  mkdirSync(folder, { recursive: true })
  const names: string[] = []
  for (const adapter of from) {
    const known = folder === unfinished ? flags.proposer.indexOf(adapter) : -1
    const name = known >= 0 ? `proposer/${nameOf(known, flags.proposer)}` : nameOf(names.length, from)
    names.push(name)
    const file = path.join(folder, name)
    if (known < 0) await convertAdapter(base.model, await findAdapter(adapter), file, settings, flags.outtype)
  }
  const record: Checkpoint = {
    type: 'checkpoint',
    version: 1,
    base: base.gguf,
    adapter: names.length > 1 ? names : names[0],
    files: Object.fromEntries(names.map((name) => [name, sha256(path.join(folder, name))])),
    chatTemplateSha256,
    templates: [],
    license: flags.license,
    ...rest,
  }
  writeFileSync(path.join(folder, checkpointFile), `${JSON.stringify(record, null, 2)}\n`)
  return record
}

function nameOf(index: number, all: string[]): string {
  return all.length > 1 ? `adapter-${index + 1}.gguf` : 'adapter.gguf'
}

/** SHA-256 of the rows, from the record of a run or the folder of --data. */
async function hashRows(): Promise<string | undefined> {
  if (flags.data !== undefined) return hashFiles(listShards(flags.data, 'train.jsonl'))
  const run = path.join(last, 'run.json')
  return existsSync(run) ? JSON.parse(readFileSync(run, 'utf8')).dataSha256 : undefined
}

function renderCard(
  name: string,
  record: Checkpoint,
  rows: string | undefined,
  proposer?: Checkpoint,
): string {
  const facts = {
    ...licenseFacts(flags.license),
    base_model: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    language: ['en'],
    library_name: 'aft',
    tags: ['aggregation-fine-tuning', 'lora', 'gguf'],
  }
  const hashes = [
    ['rows', rows ?? 'not recorded'],
    [`base ${record.base?.model}`, record.base?.sha256],
    ['chat template', record.chatTemplateSha256],
    ...record.templates.map(({ id, sha256: hash }) => [`template ${id}`, hash]),
    ...Object.entries({ ...record.files, ...filesOf(proposer) }),
  ]
  const notes = flags.notes === undefined ? '' : `${readFileSync(flags.notes, 'utf8').trim()}\n\n`
  const table = hashes.map(([what, hash]) => `| ${what} | ${hash} |\n`).join('')
  return `---\n${stringify(facts)}---\n\n# ${name}\n\n${flags.about}.\n\n${notes}## Made from\n\n| what | SHA-256 |\n| --- | --- |\n${table}`
}

await setUpEnvironment()
const settings = {
  python: findEnvironment().python,
  signal: new AbortController().signal,
  onLine: (line: string) => console.error(line),
}
const template = await chooseTemplate()
const baseName = (isCheckpoint(last) ? readRecord(last).base?.model : undefined) ?? flags.base
const base = await prepareBase(baseName, { ...settings, findGguf })
if (!base.gguf) refuse(`--base ${baseName}: expected a model of \`aft models\``)
const { metadata } = await readGgufHeader((await resolveModel(baseName)).file)
const chatTemplateSha256 = createHash('sha256')
  .update(String(metadata.get('tokenizer.chat_template') ?? ''))
  .digest('hex')

const unfinished = `${path.resolve(out)}.unfinished`
rmSync(unfinished, { recursive: true, force: true })
const proposer =
  flags.proposer.length > 0 ? await write(path.join(unfinished, 'proposer'), flags.proposer, {}) : undefined
const record = await write(unfinished, adapters, {
  about: flags.about,
  templates: [{ id: template.id, sha256: hashTemplate(template), wording: template }],
  options: {
    proposers: [{ engine: proposer ? './proposer' : '.', temperature: numberOf('temperature') }],
    aggregators: [{ engine: '.', temperature: numberOf('answer-temperature') }],
    width: numberOf('width'),
    depth: numberOf('depth'),
    maxTokens: numberOf('max-tokens'),
  },
})
const name = path.basename(out)
writeFileSync(path.join(unfinished, 'README.md'), renderCard(name, record, await hashRows(), proposer))
rmSync(out, { recursive: true, force: true })
renameSync(unfinished, out)
for (const file of Object.keys({ ...record.files, ...filesOf(proposer) }))
  console.error(`${path.join(out, file)}: ${(statSync(path.join(out, file)).size / 1e6).toFixed(1)} MB`)
console.error(`ask it: npx aft ask "…" --model ${name}`)
