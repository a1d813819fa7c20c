/** Words wrong usage of the command line as all errors are worded: where, what was expected, what came, what to do. */
import type { Argument, Command, Option } from 'commander'
import { UsageError } from '../../core/provider/errors.ts'
import { findClosest } from '../../lib/closest.ts'

/** The methods by which commander reports errors and finds subcommands. It does not document them. */
interface Hooks {
  missingArgument(name: string): void
  optionMissingArgument(option: Option): void
  missingMandatoryOptionValue(option: Option): void
  _conflictingOption(option: Option, other: Option): void
  unknownOption(flag: string): void
  unknownCommand(): void
  _allowExcessArguments?: boolean
  _excessArguments(received: string[]): void
  _callParseArg(target: Option | Argument, value: string, before: unknown): unknown
  _dispatchSubcommand(name: string, ...rest: unknown[]): unknown
}

/** Replaces the wording of a command's errors. A later commander that calls other methods uses its own wording. */
export function wordErrors(command: Command): void {
  const itself = command as unknown as Hooks
  const dispatch = itself._dispatchSubcommand.bind(command)
  const hooks: Hooks = {
    missingArgument(name) {
      const { description } = command.registeredArguments.find((known) => known.name() === name) ?? {}
      refuse(`${pathOf(command)} needs <${name}>: ${description}`)
    },
    optionMissingArgument: ({ long, flags }) => refuse(`${long} needs a value: ${flags}`),
    missingMandatoryOptionValue: ({ flags, description }) =>
      refuse(`${pathOf(command)} needs ${flags}: ${description}`),
    _conflictingOption: (option, other) =>
      refuse(`${option.long} cannot be used with ${other.long}: give one of them`),
    unknownOption(flag) {
      const names = command.options.flatMap(({ long, hidden }) => (hidden || !long ? [] : [long]))
      const [name = flag] = flag.split('=')
      refuse(`${pathOf(command)} has no flag ${name}${hint(command, 'flags', findClosest(name, names))}`)
    },
    unknownCommand: () => refuse(unknownCommand(command, command.args[0] as string)),
    _excessArguments(received) {
      if (!itself._allowExcessArguments) refuse(tooMany(command, received))
    },
    _callParseArg: parseValue,
    _dispatchSubcommand(name, ...rest) {
      if (!command.commands.some((known) => known.name() === name)) refuse(unknownCommand(command, name))
      return dispatch(name, ...rest)
    },
  }
  Object.assign(command, hooks)
}

/** Says that a command does not exist, and which one may be meant. */
export function unknownCommand(command: Command, word: string): string {
  const names = command.commands.map((known) => known.name())
  return `${pathOf(command)} has no command "${word}"${hint(command, 'commands', findClosest(word, names))}`
}

function hint(command: Command, what: string, near: string | undefined): string {
  return near === undefined ? `; ${pathOf(command)} --help lists the ${what}` : `; did you mean ${near}?`
}

function tooMany(command: Command, received: string[]): string {
  const names = command.registeredArguments.map((argument) => `<${argument.name()}>`)
  const expected = names.length === 0 ? 'no argument' : `only ${names.join(' ')}`
  const got = received.map((word) => JSON.stringify(word)).join(' ')
  return `${pathOf(command)} takes ${expected}, got ${got}`
}

function parseValue(target: Option | Argument, value: string, before: unknown): unknown {
  const { argChoices, parseArg } = target
  const place = 'long' in target ? (target.long ?? target.short) : `<${target.name()}>`
  const got = JSON.stringify(value)
  if (argChoices && !argChoices.includes(value)) {
    const near = findClosest(value, argChoices)
    const meant = near === undefined ? '' : `; did you mean ${near}?`
    refuse(`${place}: expected one of ${argChoices.join(', ')}, got ${got}${meant}`)
  }
  try {
    return parseArg?.call(target, value, before)
  } catch (error) {
    if ((error as { code?: string }).code !== 'commander.invalidArgument') throw error
    return refuse(`${place}: ${(error as Error).message}, got ${got}`)
  }
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

function refuse(message: string): never {
  throw new UsageError(message)
}
