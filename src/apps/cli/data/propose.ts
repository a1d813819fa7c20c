/** `aft data propose`: a model writes several responses a prompt, a base model by demonstrations. */
import { Command } from 'commander'
import { textOf } from '../../../core/provider/engine.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import { makePlan } from '../../../core/strategies.ts'
import { defaultTemplate, type Template } from '../../../core/templates.ts'
import {
  cutLeak,
  type Demonstration,
  demonstrationStops,
  renderDemonstrations,
} from '../../../data/demonstrations.ts'
import { readPrompt } from '../../../data/sources/responses.ts'
import { type PromptRow, readPrompts } from '../../../files/prompts.ts'
import { readRecords } from '../../../files/rows/read-records.ts'
import { asFields, asText, type Response } from '../../../files/rows/row.ts'
import { addSamplingFlags, number, type SamplingFlags, sampleInto, spoolRows, writeRows } from './sampling.ts'

interface ProposeFlags extends SamplingFlags {
  proposals: number
  base?: boolean
  demonstrations?: string
}

/** Servers and scripts are sent the text as a message: whether a template is put around it is theirs to say. */
const isElsewhere = /^(https?|openai|scripted):/

/** Raw text has no system turn. */
const rawTemplate: Template = {
  ...defaultTemplate,
  id: 'aft-base-1',
  proposerSystem: '',
  keepUserSystem: false,
}

/** The subcommand. */
export function proposeCommand(): Command {
  const command = new Command('propose')
    .description('Have a model write several responses a prompt.')
    .argument('<prompts>', 'JSON lines, or one JSON array, as for aft run')
    .addOption(number('--proposals <n>', 'responses a prompt').default(4))
    .option('--base', 'a base model: it is shown demonstrations and continues the text')
    .option('--demonstrations <file>', 'rows {question, answer}, for --base')
  return addSamplingFlags(command).action(propose)
}

async function propose(file: string, flags: ProposeFlags): Promise<void> {
  if (flags.demonstrations !== undefined && !flags.base)
    throw new UsageError('--demonstrations is for --base')
  const demonstrations = flags.demonstrations ? await readDemonstrations(flags.demonstrations) : undefined
  const { model, proposals: width, maxTokens, temperature, seed } = flags
  const template = flags.base ? rawTemplate : defaultTemplate
  const plan = makePlan({
    strategy: 'self-consistency',
    proposers: [model],
    width,
    maxTokens,
    temperature,
    seed,
    template: template.id,
  })
  async function* prompts() {
    for await (const row of readPrompts(file)) yield flags.base ? demonstrate(row, demonstrations) : row
  }
  const raw = (flags.base && !isElsewhere.test(model)) || undefined
  if (!(await sampleInto({ ...flags, raw }, { prompts, template, plan }))) return
  let cuts = 0
  const clean = (response: Response): Response => {
    const text = flags.base ? cutLeak(response.text) : response.text
    if (text !== response.text && text !== response.text.trim()) cuts++
    return { ...response, text }
  }
  const made = await spoolRows(flags.output, ({ responses }) => responses.map(clean))
  async function* rows() {
    for await (const { id, messages } of readPrompts(file)) {
      const responses = made.get(id)
      if (responses) yield { id, messages, responses }
    }
  }
  try {
    await writeRows(flags.output, rows())
  } finally {
    made.close()
  }
  if (cuts > 0) console.error(`${cuts} of them were cut where the model went on to a next question`)
}

function demonstrate({ id, messages }: PromptRow, demonstrations?: Demonstration[]): PromptRow {
  const question = textOf(messages.findLast((m) => m.role === 'user') ?? { role: 'user', content: '' })
  const content = renderDemonstrations(question, demonstrations)
  return { id, messages: [{ role: 'user', content }], stop: demonstrationStops }
}

async function readDemonstrations(file: string): Promise<Demonstration[]> {
  const read: Demonstration[] = []
  for await (const { value, line, problem } of readRecords([file])) {
    try {
      const row = asFields(value)
      const question = readPrompt(row).map(textOf).join('\n')
      read.push({ question, answer: asText(row.answer, 'answer') })
    } catch (error) {
      throw new UsageError(`${file}:${line}: ${problem ?? (error as Error).message}`)
    }
  }
  return read
}
