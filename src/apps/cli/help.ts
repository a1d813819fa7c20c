/** Formats help: the same headings in the same order for every command, and text wrapped to one width. */
import { styleText } from 'node:util'
import { type Command, Help, type Option } from 'commander'
import { engineFlagNames } from '../../engines/engine-options.ts'
import { type OptionTable, planOptions } from '../../plans/options.ts'
import type { RangedOption } from './option-types.ts'
import { flagName } from './plan-flags.ts'

/**
 * The headings of all commands, in the order of the help, with the flags below each. Headings that only one command has, such
 * as "Clients:" of `serve`, stand after "Input:". A test knows that no flag is left over.
 */
const shared: [heading: string, flags: string[]][] = [
  ['Input:', inputFlags()],
  ['Output:', outputFlags()],
  ['Models:', ['--model', '--base', '--requests', ...planned('Models'), '--trained', '--config']],
  [
    'Plan:',
    [
      ...list('--preset --proposals --controls --widths --depths'),
      ...planned('Plan'),
      ...list('--system --template --trained-template --judge-template'),
    ],
  ],
  ['Sampling:', [...planned('Sampling'), '--answer-temperature']],
  ['Slow completions:', planned('Slow completions')],
  ['Engines:', engineFlagNames.map(flagName)],
  ['Run:', runFlags()],
  ['Help:', list('--help --version')],
]

function list(flags: string): string[] {
  return flags.split(' ')
}

function inputFlags(): string[] {
  return [
    ...list('--format --data --rows --set --official --task --tasks --include-path'),
    ...list('--outputs --baseline --annotations --gamed --instruction-difficulty --demonstrations'),
    ...list('--problems --puzzles --max-bad --max-chars --each --target --target-file --group'),
    ...list('--split --metric --count --id --prompt-id --recipe --keep-equal --length'),
  ]
}

function outputFlags(): string[] {
  return [
    ...list('--output --output-format --generator --with-prompt --title --about --figures'),
    ...list('--to --dtype --private --message --results --json --events --no-progress --no-history'),
  ]
}

function runFlags(): string[] {
  return [
    ...list('--limit --seeds --shard --queue --run --max-cost --max-tokens-total --ask-again --restart'),
    ...list('--plan --tflops --prepare --nodes --finish --reward --trackers'),
    ...list('--at --prompts --prompt-tokens --output-tokens --gpu-price --chunk-tokens'),
    ...list('--dry-run --fsync --force --python --offline --read-threads --takeover-s --remove'),
  ]
}

function planned(group: string): string[] {
  const rows = Object.entries(planOptions as OptionTable)
  return rows.filter(([, spec]) => spec.group === group).map(([name]) => flagName(name))
}

/** Sets the format of a program's help. Its subcommands inherit it. */
export function styleHelp(program: Command): Command {
  return program
    .helpOption('-h, --help', 'show this help')
    .configureOutput({ writeOut: (text) => process.stdout.write(wrapParagraphs(text)) })
    .configureHelp({
      styleTitle: (title) => styleText('bold', title),
      showGlobalOptions: false,
      optionDescription,
      subcommandTerm: (command) => command.name(),
      subcommandDescription: (command) => command.summary() || command.description(),
      visibleOptions(command) {
        const options = Help.prototype.visibleOptions.call(this, command)
        for (const option of options) option.helpGroupHeading ??= headingOf(option)
        return options.sort((a, b) => placeOf(a) - placeOf(b))
      },
      groupItems: (_, visible, groupOf) => Map.groupBy(visible, groupOf),
    })
}

function headingOf({ long }: Option): string {
  return shared.find(([, flags]) => flags.includes(long ?? ''))?.[0] ?? 'Options:'
}

/** Orders flags by the table above; those of a command's own headings come after "Input:", in its own order. */
function placeOf({ long, helpGroupHeading }: Option): number {
  const heading = shared.findIndex(([name]) => name === helpGroupHeading)
  return heading < 0 ? 99 : heading * 100 + (shared[heading]?.[1].indexOf(long ?? '') ?? 0)
}

/** Writes the help of a flag, then in parentheses what it takes, its default and whether it is required. */
function optionDescription({ description, argChoices, mandatory, takes, ...option }: RangedOption): string {
  const { defaultValue, defaultValueDescription } = option
  const shown = typeof defaultValue === 'boolean' ? undefined : defaultValue
  const value = defaultValueDescription ?? (Array.isArray(shown) ? shown.join(',') : shown)
  const facts = [
    ...(takes ? [takes] : []),
    ...(argChoices ? [argChoices.join(', ')] : []),
    ...(value === undefined || value === '' ? [] : [`default: ${value}`]),
    ...(mandatory ? ['required'] : []),
  ]
  return facts.length === 0 ? description : `${description} (${facts.join('; ')})`
}

const WIDTH = 80

/** Wraps paragraphs. Indented lines stay unchanged. */
function wrapParagraphs(text: string): string {
  return text.replace(/(?:^\S.*\n)+/gm, (paragraph) => {
    const words = paragraph.trim().split(/\s+/)
    const lines = ['']
    for (const word of words) {
      const line = lines.at(-1) as string
      if (line !== '' && line.length + 1 + word.length > WIDTH) lines.push(word)
      else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
    }
    return `${lines.join('\n')}\n`
  })
}
