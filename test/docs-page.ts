/** For docs.test.ts: reads the code blocks of a page. */
import { commandNames, makeProgram } from '../src/apps/cli/main.ts'

export interface Block {
  language: string
  code: string
  /** What the block needs and a test does not have: its lines are then only parsed. From its first line, `# needs …`. */
  needs: string | undefined
  /** The file that the block shows, if its first line names one. */
  file: string | undefined
}

export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
    needs: /^(?:#|\/\/) needs (.+)/.exec(code)?.[1],
    file: /^(?:#|\/\/) (\S+\.\w+)\n/.exec(code)?.[1],
  }))
}

/** Returns the commands of a shell block. A line that ends with `\` continues in the next. */
export function commandsOf(code: string): string[] {
  const lines = code.replaceAll(/\\\n\s*/g, '').split('\n')
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
}

/** Returns the words of a simple command, without quotes, variables before it, and everything after `<` or `|`. */
export function wordsOf(command: string): string[] {
  const words = [...command.matchAll(/"((?:\\.|[^"])*)"|'([^']*)'|[^\s"']+/g)].map(
    ([word, double, single]) => double ?? single ?? word,
  )
  const end = words.findIndex((word) => /^[<>|&]/.test(word))
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word))
  return words.slice(first, end < 0 ? undefined : end)
}

/**
 * Lets the real command line parse a command without running it.
 * @throws CommanderError or Error if the command line would refuse it
 */
export async function parseCommand(command: string): Promise<void> {
  const words = wordsOf(command)
  if (words[0] !== 'npx' || words[1] !== 'aft') throw new Error(`expected npx aft …, got: ${command}`)
  let rest = words.slice(2)
  let found = await makeProgram(rest)
  for (;;) {
    const next = found.commands.find((one) => one.name() === rest[0])
    if (!next) break
    found = next
    rest = rest.slice(1)
  }
  const { operands, unknown } = found.parseOptions(rest)
  const wanted = found.registeredArguments
  const missing = [
    ...wanted.filter((argument, i) => argument.required && operands[i] === undefined).map((a) => a.name()),
    ...found.options
      .filter((option) => option.mandatory && found.getOptionValue(option.attributeName()) === undefined)
      .map((option) => option.flags),
  ]
  const isMore = !wanted.at(-1)?.variadic && operands.length > wanted.length
  if (unknown.length > 0 || missing.length > 0 || isMore) {
    throw new Error(`${command}: unknown: ${unknown}; missing: ${missing}; operands: ${operands}`)
  }
}

/** Lists every long flag of some commands, or of all. */
export async function listFlags(names = commandNames): Promise<Set<string>> {
  const flags = new Set(['--help', '--version'])
  const open = (await makeProgram('all')).commands.filter((command) => names.includes(command.name()))
  for (let command = open.pop(); command; command = open.pop()) {
    for (const { long, hidden } of command.options) if (long && !hidden) flags.add(long)
    open.push(...command.commands)
  }
  return flags
}
