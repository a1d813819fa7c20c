/** `aft models`: lists the models that need no account, downloads them, and prints the paths of their files. */
import { Command } from 'commander'
import { redact, UsageError } from '../../core/provider/errors.ts'
import {
  authorsCheckpoints,
  findModelFolder,
  type ListedModel,
  listModels,
  resolveModel,
} from '../../engines/models/models.ts'
import { listPackaged } from '../../engines/models/packaged.ts'
import { findHere } from '../../engines/named/found.ts'
import { showFound } from './found-here.ts'
import { watchInterrupts } from './interrupt.ts'
import { whole } from './option-types.ts'
import { createPullProgress } from './progress.ts'
import { sanitize } from './render/sanitize.ts'
import { unknownCommand } from './wrong-usage.ts'

const help = `
AFT_CACHE_DIR names another folder for the files. Commands with --model also take gguf:FILE, hf:USER/REPO:QUANT,
ollama:NAME, anthropic:NAME and so on, or any server: docs/models.md

Examples:
  $ aft models
  $ aft models pull gemma3-270m
  $ aft models path smollm2`

/** Makes the command `aft models`. */
export function modelsCommand(): Command {
  const command = new Command('models')
    .description(
      'List the models that need no account and what else is found here; download models, and say where files are.',
    )
    .addHelpText('after', help)
  command
    .command('list', { isDefault: true })
    .description("List the models, what is found on this machine, and how to serve the authors' checkpoints.")
    .option('--json', 'print one JSON object: models, folder, found, checkpoints')
    .addHelpText('after', '\nExample:\n  $ aft models list --json')
    .action(list)
  command
    .command('pull')
    .description("Download a model's file, unless it is here, and print its path.")
    .argument('<name>', 'name of `aft models`, or hf:USER/REPO:QUANT')
    .addHelpText('after', '\nExample:\n  $ aft models pull smollm2')
    .action(pull)
  command
    .command('path')
    .description("Print the path of a model's file, without downloading it.")
    .argument('<name>', 'name of `aft models`')
    .addHelpText('after', '\nExample:\n  $ llama-server -m "$(aft models path smollm2)"')
    .action(printPath)
  command
    .command('measure')
    .description(
      'Measure which way of attention is the fastest for a model on this processor, in less than a minute, and keep the answer: ' +
        'the model is then used that way. Another way writes other texts for the same seed.',
    )
    .argument('<name>', 'name of `aft models`, gguf:FILE or hf:USER/REPO:QUANT')
    .addOption(
      whole('--length <tokens>', "tokens of a usual text (default: the model's own limit, else 400)", 1),
    )
    .addHelpText('after', '\nExample:\n  $ aft models measure smollm2 --length 300')
    .action(measure)
  command.hook('preSubcommand', (_, called) => {
    if (called.name() === 'list') called.allowExcessArguments() // `aft models WORD` arrives there, too
  })
  // The program's settings are copied to this command, but not to its subcommands.
  for (const subcommand of command.commands) subcommand.exitOverride()
  return command
}

async function list({ json }: { json?: boolean }, { args: [word], parent }: Command): Promise<void> {
  if (word !== undefined) throw new UsageError(unknownCommand(parent as Command, word))
  const [models, found, folder] = [await listModels(), await findHere(), findModelFolder()]
  const text = json
    ? JSON.stringify({ models: models.map(factsOf), folder, found, checkpoints: authorsCheckpoints }, null, 2)
    : [showModels(models), `Files are kept in ${folder}`, showFound(found), explainCheckpoints()].join('\n\n')
  console.log(sanitize(redact(text))) // an address may have a password
}

/** Downloads a model. Only the path goes to standard output, for scripts. */
async function pull(name: string): Promise<void> {
  const progress = createPullProgress(process.stderr)
  const packaged = listPackaged().find((model) => model.name === name)
  try {
    const options = { signal: watchInterrupts(), onProgress: progress.update }
    const { file } = await resolveModel(packaged?.base ?? name, options)
    progress.close()
    console.log(packaged?.path ?? file)
  } finally {
    progress.close()
  }
}

/** Says what each way costs. Only the way that was chosen goes to standard output. */
async function measure(name: string, { length }: { length?: number }): Promise<void> {
  const progress = createPullProgress(process.stderr)
  const { measureModel } = await import('../../engines/models/measure.ts')
  const { estimateMs } = await import('../../engines/embedded/measure-attention.ts')
  try {
    const options = { signal: watchInterrupts(), onProgress: progress.update, length }
    const { file, kept } = await measureModel(name, options)
    progress.close()
    const perSecond = (ms: number, tokens: number) => ((1000 * tokens) / ms).toFixed(0)
    const rows = kept.costs.map((cost) => [
      cost.attention,
      `${perSecond(cost.read.early, 64)} to ${perSecond(cost.read.late, 64)}`,
      `${perSecond(cost.one.early, 1)} to ${perSecond(cost.one.late, 1)}`,
      `${perSecond(cost.wide.early, 4)} to ${perSecond(cost.wide.late, 4)}`,
      cost.change.toFixed(3),
      `${(estimateMs(cost, kept.depth, kept.length) / 1000).toFixed(1)} s`,
    ])
    const head = ['ATTENTION', 'READS', 'WRITES 1', 'WRITES 4', 'CHANGE', `5 x 2, ${kept.length} TOKENS EACH`]
    console.error(`${showTable([head, ...rows])}

Tokens per second of processor time, one thread, after 64 and after ${kept.depth} tokens. Change: of log probabilities, nats
(root mean square), compared with 32-bit keys and values. Kept in ${file}`)
    console.log(kept.attention)
  } finally {
    progress.close()
  }
}

async function printPath(name: string): Promise<void> {
  const models = await listModels()
  const model = models.find((candidate) => candidate.name === name)
  if (!model) {
    const names = models.map((candidate) => candidate.name).join(', ')
    throw new UsageError(`unknown model "${name}": expected ${names}`)
  }
  if (!model.isCached) throw new UsageError(`${name} is not on this machine yet: aft models pull ${name}`)
  console.log(model.path)
}

function factsOf({ name, about, format, bytes, license, raw, isCached, path, sha256 }: ListedModel) {
  return { name, about, format, bytes, license, raw, isCached, path, sha256 }
}

function showModels(models: ListedModel[]): string {
  return showTable([
    ['NAME', 'SIZE', 'FORMAT', 'LICENSE', 'HERE', 'ABOUT'],
    ...models.map(({ name, bytes, format, license, isCached, about }) => [
      name,
      `${Math.round(bytes / 1e6)} MB`,
      format,
      license,
      isCached ? 'yes' : 'no',
      about,
    ]),
  ])
}

function explainCheckpoints(): string {
  const model = 'linzw/Llama-AFT-On-Policy'
  const table = showTable([
    ['CHECKPOINT', 'BASE'],
    ...authorsCheckpoints.map((checkpoint) => [checkpoint.model, checkpoint.base]),
  ])
  return `The method's authors released these, for a GPU and a server. They were trained with the authors' own wording,
which is not part of this package: put it in a template file, byte for byte (docs/models.md has a way to
make it). Without a file they get the same structure in our words (the template aft-1).

${table}

  $ vllm serve ${model}
  $ aft ask "…" --model http://127.0.0.1:8000/v1#${model} --template authors.json

authors.json: {"id": "…", "proposerSystem": "\\n", "aggregatorSystem": "…{{proposals}}",
  "proposal": "{{number}}. {{text}}", "separator": "\\n", "keepUserSystem": false}
"place": "system" is the default of a template file: the drafts stand in the system message. With "place": "tail"
the same text stands in a user turn of its own after the conversation, as in the built-in template aft-2.`
}

function showTable(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
