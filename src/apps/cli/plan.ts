/** `aft plan`: what a run will take, before it. */
import { Command } from 'commander'
import { textOf } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { readPrompts } from '../../files/prompts.ts'
import { templateOf, wordingsOf } from '../../plans/wording.ts'
import { type Forecast, forecast, readHardware } from '../../run/forecast.ts'
import { type AnswerFlags, addAnswerFlags, readAnswerFlags } from './flags.ts'
import { amount, whole } from './option-types.ts'
import { stringifySafely } from './render/sanitize.ts'
import { addSharedFlags } from './shared-flags.ts'

interface PlanFlags extends AnswerFlags {
  at?: string
  prompts?: number
  promptTokens?: number
  outputTokens: number
  gpuPrice?: number
  chunkTokens: number
  json?: boolean
}

const help = `
Nothing is asked. The file gives the number of prompts and their length; --prompts and
--prompt-tokens replace them. What is assumed: docs/scale.md.

Examples:
  $ aft plan prompts.jsonl --preset paper --at "8xH100 8B"
  $ aft plan --prompts 10000000 --prompt-tokens 200 --width 5 --depth 2 --at "64xH200 8B"`

/** Makes the command `aft plan`. */
export function planCommand(): Command {
  const command = new Command('plan')
    .description('Say what a run will take: tokens, GPU hours, money, processor time, memory and disk.')
    .argument('[prompts]', 'file of prompts, as for `aft run`')
    .option('--at <hardware>', 'GPUs and the size of the model, such as "8xH100 8B"')
    .addOption(whole('--prompts <n>', 'number of prompts, in place of those of the file', 1, 1e9))
    .addOption(whole('--prompt-tokens <n>', 'tokens of a prompt, in place of those of the file', 1))
    .addOption(whole('--output-tokens <n>', 'tokens of a completion on average', 1).default(400))
    .addOption(amount('--gpu-price <dollars>', 'US dollars for an hour of one GPU'))
    .addOption(
      whole('--chunk-tokens <n>', 'tokens per chunk of a stream, as the server sends them', 1).default(1),
    )
    .addHelpText('after', help)
  addSharedFlags(command, ['json'])
  return addAnswerFlags(command, ['panel']).action(showForecast)
}

async function showForecast(file: string | undefined, flags: PlanFlags): Promise<void> {
  const hardware = flags.at === undefined ? undefined : readHardware(flags.at)
  const setup = await readAnswerFlags(flags)
  const found = file === undefined ? undefined : await measure(file)
  const prompts = flags.prompts ?? found?.prompts
  const promptTokens = flags.promptTokens ?? found?.tokens
  if (prompts === undefined || promptTokens === undefined)
    throw new UsageError('expected a file of prompts, or --prompts and --prompt-tokens')
  const template = setup.given ?? templateOf(setup.plan, wordingsOf({}))
  const made = forecast({
    prompts,
    promptTokens,
    frameTokens: Math.ceil(Buffer.byteLength(template.aggregatorSystem) / 4),
    outputTokens: flags.outputTokens,
    plan: setup.plan,
    hardware,
    dollarsPerHour: flags.gpuPrice,
    chunkTokens: flags.chunkTokens,
  })
  console.log(flags.json ? stringifySafely({ prompts, promptTokens, ...made }) : describe(prompts, made))
}

async function measure(file: string): Promise<{ prompts: number; tokens: number }> {
  let [prompts, bytes] = [0, 0]
  for await (const { messages } of readPrompts(file)) {
    prompts++
    for (const message of messages) bytes += Buffer.byteLength(textOf(message)) + 16
  }
  return { prompts, tokens: Math.ceil(bytes / 4 / prompts) }
}

const count = (n: number) => Math.round(n).toLocaleString('en-US')
const size = (bytes: number) =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
const hours = (n: number) => (n < 1 ? `${(n * 60).toFixed(1)} min` : `${n.toFixed(1)} h`)

function describe(prompts: number, made: Forecast): string {
  const { gpu } = made
  return [
    `prompts       ${count(prompts)}`,
    `requests      ${count(made.requests)}`,
    `completions   ${count(made.completions)}`,
    `tokens in     ${count(made.inputTokens)} (${count(made.inputTokensUnshared)} if each sample reads its prompt)`,
    `tokens out    ${count(made.outputTokens)}`,
    ...(gpu
      ? [
          `GPU time      ${hours(gpu.hours)} of one GPU: ${hours(gpu.prefillHours)} to read, ${hours(gpu.decodeHours)} to write`,
          `              ${hours(gpu.unsharedHours)} if each sample reads its prompt`,
          `takes         ${hours(gpu.wallHours)} if all GPUs are busy`,
          `cost          about $${gpu.dollars.toFixed(gpu.dollars < 10 ? 2 : 0)}`,
        ]
      : []),
    `this machine  ${hours(made.cpuSeconds / 3_600)} of one core, ${size(made.memoryBytes)} of memory`,
    `journal       ${size(made.journalBytes)}`,
  ].join('\n')
}
