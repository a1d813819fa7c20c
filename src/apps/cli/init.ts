/** `aft init`: finds servers and keys, and writes a config that uses one. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { Command, Option } from 'commander'
import { stringify } from 'yaml'
import { UsageError } from '../../core/provider/errors.ts'
import { CONFIG_FILES } from '../../engines/config.ts'
import { listModels } from '../../engines/models/models.ts'
import { type Found, findHere } from '../../engines/named/found.ts'
import { checkReplaceable, writeWhole } from '../../lib/write-whole.ts'
import { describeFound } from './found-here.ts'
import { Interrupted } from './interrupt.ts'
import { planFlag } from './plan-flags.ts'
import { cutEnd } from './render/text.ts'

const help = `
On a terminal it lists what it found and asks which model to use. Without a terminal, or with --model, it asks nothing.
It asks before it replaces a config; --force replaces it. Keys stay in the environment: none is written.

Examples:
  $ aft init
  $ aft init --model ollama:llama3.2 --width 5 --force`

interface InitFlags {
  model?: string
  width?: number
  depth?: number
  output: string
  force?: boolean
}

/** A model that the person can choose. */
interface Choice {
  model: string
  about: string
  install?: string
}

/** Makes the command `aft init`. */
export function initCommand(): Command {
  return new Command('init')
    .description('Find servers and keys on this machine, and write a config.')
    .option('-m, --model <name>', 'model to write, without asking; any name that `aft ask --model` takes')
    .addOption(planFlag('width'))
    .addOption(planFlag('depth'))
    .addOption(new Option('-o, --output <file>', 'config to write').default('aft.config.yaml'))
    .option('--force', 'replace a config without asking')
    .addHelpText('after', help)
    .action(init)
}

async function init(flags: InitFlags): Promise<void> {
  const { output, force, width, depth } = flags
  checkName(output)
  const isTyped = process.stdin.isTTY === true && process.stdout.isTTY === true
  if (existsSync(output) && !force && !(await mayReplace(output, isTyped)))
    return console.log(`${output} stays as it is`)
  const choice: Choice = flags.model === undefined ? await choose(isTyped) : { model: flags.model, about: '' }
  if (!choice.install) await checkModel(choice.model)
  const defaults = { model: choice.model, ...(width && { width }), ...(depth !== undefined && { depth }) }
  const isJson = output.endsWith('.json')
  writeWhole(
    output,
    isJson ? `${JSON.stringify({ defaults }, null, 2)}\n` : `${HEAD}\n${stringify({ defaults })}`,
  )
  const ask = `aft ask "Why is the sky blue?"${CONFIG_FILES.includes(output) ? '' : ` --config ${output}`}`
  const install = choice.install ? [choice.install] : []
  console.log([`wrote ${output}. Try it:`, ...[...install, ask].map((line) => `  $ ${line}`)].join('\n'))
}

const HEAD = `# Made by \`aft init\`. Flags win over this file. Keys stay in the environment.
# Every option of \`aft ask\` can stand under defaults, in camel case, such as maxTokens: 500.
# engines gives names to models, and presets names sets of options.`

/** Refuses a name that no command would read, or that another config hides. */
function checkName(output: string): void {
  if (!/\.(ya?ml|json)$/.test(output))
    throw new UsageError(`${output}: expected a name that ends in .yaml or .json`)
  checkReplaceable(output)
  const place = CONFIG_FILES.indexOf(path.basename(output))
  const other = CONFIG_FILES.slice(0, Math.max(0, place)).find((name) =>
    existsSync(path.join(path.dirname(output), name)),
  )
  if (other === undefined) return
  throw new UsageError(
    `${other} is here, and commands read it before ${path.basename(output)}: change ${other}, or move it away`,
  )
}

async function mayReplace(file: string, isTyped: boolean): Promise<boolean> {
  if (!isTyped) throw new UsageError(`${file} exists already: --force replaces it, -o names another file`)
  const reply = await question(`${file} exists already. Replace it? [y/N] `)
  return /^y(es)?$/i.test(reply.trim())
}

async function choose(isTyped: boolean): Promise<Choice> {
  const choices = await listChoices()
  const listed = choices.map(({ model, about }) => `${model} (${about})`).join(', ')
  if (!isTyped) throw new UsageError(`there is no terminal to ask on: give --model; found here: ${listed}`)
  const columns = (process.stdout.columns || 80) - 1
  const width = Math.min(40, Math.max(...choices.map(({ model }) => model.length)))
  const rows = choices.map(({ model, about }, i) =>
    cutEnd(`${String(i + 1).padStart(3)}  ${model.padEnd(width)}  ${about}`, columns),
  )
  console.log(['Found on this machine:', '', ...rows, ''].join('\n'))
  for (;;) {
    const reply = (await question('Which model? A number, or any name that --model takes [1] ')).trim() || '1'
    const isNumber = /^\d+$/.test(reply)
    const choice = isNumber ? choices[Number(reply) - 1] : { model: reply, about: '' }
    if (choice) return choice
    console.log(`expected 1 to ${choices.length}`)
  }
}

const MAX_MODELS = 6

/** Servers first, then keys, then the model that needs neither. */
async function listChoices(): Promise<Choice[]> {
  const [found, [small]] = await Promise.all([findHere(), listModels()])
  const own = small && {
    model: small.name,
    about: `in this process, ${small.isCached ? 'downloaded' : `downloads ${Math.round(small.bytes / 1e6)} MB`}; small, to try things`,
  }
  return [...found.flatMap(toChoices), ...(own ? [own] : [])]
}

function toChoices(found: Found): Choice[] {
  const { name, models = [], model, install, about, address } = found
  if (models.length === 0) return [{ model, about: describeFound(found), install }]
  return models
    .slice(0, MAX_MODELS)
    .map((id) => ({ model: `${name}:${id}`, about: `${about} at ${address}`, install }))
}

/** Opens the model as commands do, to find a wrong name now. Those of this process are opened when they are asked. */
async function checkModel(model: string): Promise<void> {
  const own = (await listModels()).map(({ name }) => name)
  if (own.includes(model) || model.startsWith('hf:') || model.startsWith('gguf:')) return
  const { openEngine } = await import('../../engines/open.ts')
  await (await openEngine(model)).close?.()
}

/** Asks for a line. @throws Interrupted at Ctrl-C and Ctrl-D */
function question(text: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  return new Promise((resolve, reject) => {
    const stop = () => {
      console.log()
      reject(new Interrupted('SIGINT', 130))
    }
    reader.on('close', stop)
    reader.question(text, (reply) => {
      reader.off('close', stop).close()
      resolve(reply)
    })
  })
}
