/** Commands that are loaded when they are called: so `aft --help` is quick, and each command loads only what it needs. */
import { Command } from 'commander'

/** The words of the command line from the command's name on, or `all` to load every command. */
export type Called = string[] | 'all'

/** A command that is not loaded yet. */
export interface LazyCommand {
  /** What the help of the command above says of it; its own help too, if it has no description. */
  about: string
  /** @param called the words after its name */
  load: (called: Called) => Command | Promise<Command>
}

/** Adds commands by their names. Those that are not called are names with what they do. */
export async function addCommands(
  parent: Command,
  commands: Record<string, LazyCommand>,
  called: Called,
): Promise<Command> {
  const [first, ...rest] = called === 'all' ? [] : called
  const wanted = first === 'help' ? rest[0] : first
  for (const [name, { about, load }] of Object.entries(commands)) {
    const isCalled = called === 'all' || name === wanted
    const command = isCalled ? await load(called === 'all' ? called : rest) : new Command(name)
    if (command.description() === '') command.description(about)
    parent.addCommand(command.summary(about))
  }
  return parent
}
