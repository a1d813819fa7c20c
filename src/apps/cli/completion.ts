/** `aft completion`: prints a script that completes commands, flags and their values, made from the commands themselves. */
import { Argument, Command } from 'commander'

const help = `
Installation:
  $ aft completion bash >> ~/.bashrc
  $ aft completion zsh > "\${fpath[1]}/_aft"
  $ aft completion fish > ~/.config/fish/completions/aft.fish`

/** Makes the command `aft completion`. @param loadAll makes the whole command line */
export function completionCommand(loadAll: () => Promise<Command>): Command {
  return new Command('completion')
    .description('Print a script that completes commands and flags in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(shells)))
    .addHelpText('after', help)
    .action(async (shell: keyof typeof shells) => {
      console.log(shells[shell](listPlaces(await loadAll())))
    })
}

/** A word that can come next, and what it is. */
interface Word {
  word: string
  about: string
}

/** What can follow a command: its subcommands and flags. */
interface Place {
  /** Such as `/data/build`; empty for `aft` itself. */
  at: string
  commands: Word[]
  flags: (Word & { short?: string; takesValue: boolean; choices?: readonly string[] })[]
}

const shells = { bash: toBash, zsh: toZsh, fish: toFish }

function listPlaces(command: Command, at = ''): Place[] {
  const commands = command.commands.filter((child) => child.name() !== 'help')
  const options = command.createHelp().visibleOptions(command)
  const place: Place = {
    at,
    commands: commands.map((child) => ({
      word: child.name(),
      about: short(child.summary() || child.description()),
    })),
    flags: options.flatMap(({ long, short: letter, description, required, optional, argChoices }) =>
      long
        ? [
            {
              word: long,
              short: letter,
              about: short(description),
              takesValue: required || optional,
              choices: argChoices,
            },
          ]
        : [],
    ),
  }
  return [place, ...commands.flatMap((child) => listPlaces(child, `${at}/${child.name()}`))]
}

const MAX_ABOUT = 60

/** The first words of a help text, without what a shell could read as its own. */
function short(text: string): string {
  const [first = ''] = text.replace(/[`'"$\\:[\]]/g, '').split(/[;(]/)
  const whole = first.trim().replace(/\.$/, '')
  return whole.length <= MAX_ABOUT ? whole : `${whole.slice(0, MAX_ABOUT).replace(/\s+\S*$/, '')} ...`
}

function wordsOf({ commands, flags }: Place): Word[] {
  return [...commands, ...flags]
}

/** Flags with a value: those with choices offer them, the others files. */
function casesOfValues(places: Place[], offer: (choices: readonly string[]) => string): string[] {
  return places.flatMap(({ at, flags }) => {
    const open = flags.filter(({ takesValue, choices }) => takesValue && !choices)
    const names = open.flatMap(({ word, short: letter }) => (letter ? [word, letter] : [word]))
    return [
      ...flags.flatMap(({ word, choices }) => (choices ? [`    ${at}:${word}) ${offer(choices)} ;;`] : [])),
      ...(names.length > 0 ? [`    ${names.map((name) => `${at}:${name}`).join('|')}) ${offer([])} ;;`] : []),
    ]
  })
}

function pathsOf(places: Place[]): string {
  return places.flatMap(({ at }) => (at ? [at] : [])).join('|')
}

function toBash(places: Place[]): string {
  const rows = places.map(
    (place) =>
      `    '${place.at}') words='${wordsOf(place)
        .map(({ word }) => word)
        .join(' ')}' ;;`,
  )
  const values = casesOfValues(places, (choices) => `words='${choices.join(' ')}'; isValue=1`)
  return `# Completes the command aft in bash. Made by: aft completion bash
_aft() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at= words= isValue= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in ${pathsOf(places)}) at="$at/$word" ;; esac
  done
  case "$at:$prev" in
${values.join('\n')}
  esac
  [ -n "$isValue" ] || case "$at" in
${rows.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _aft aft`
}

function toZsh(places: Place[]): string {
  const list = (words: Word[]) => words.map(({ word, about }) => `'${word}:${about}'`).join(' ')
  const rows = places.map((place) => `    '${place.at}') list=(${list(wordsOf(place))}) ;;`)
  const values = casesOfValues(places, (choices) =>
    choices.length > 0 ? `compadd -- ${choices.join(' ')}; return` : '_files; return',
  )
  return `#compdef aft
# Completes the command aft in zsh. Made by: aft completion zsh
_aft() {
  local at= word prev=$words[CURRENT-1]
  local -a list
  for word in \${words[2,CURRENT-1]}; do
    case "$at/$word" in (${pathsOf(places)}) at="$at/$word" ;; esac
  done
  case "$at:$prev" in
${values.join('\n')}
  esac
  case "$at" in
${rows.join('\n')}
  esac
  _describe aft list
  [[ $words[CURRENT] == -* ]] || _files
}
compdef _aft aft`
}

function toFish(places: Place[]): string {
  const lines = places.flatMap(({ at, commands, flags }) => {
    const when = `complete -c aft -n '__aft_at "${at}"'`
    return [
      ...commands.map(({ word, about }) => `${when} -f -a ${word} -d '${about}'`),
      ...flags.map(({ word, short: letter, about, takesValue, choices }) => {
        const value = choices ? ` -x -a '${choices.join(' ')}'` : takesValue ? ' -r' : ''
        return `${when}${letter ? ` -s ${letter.slice(1)}` : ''} -l ${word.slice(2)}${value} -d '${about}'`
      }),
    ]
  })
  return `# Completes the command aft in fish. Made by: aft completion fish
function __aft_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    contains -- "$at/$word" ${places
      .map(({ at }) => at)
      .filter(Boolean)
      .join(' ')}; and set at "$at/$word"
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}`
}
