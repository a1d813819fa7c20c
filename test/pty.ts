/** For tests: runs a command in a pseudo-terminal, made by `script` of util-linux. */
import { spawn, spawnSync } from 'node:child_process'
import { openScreen, type Screen } from './screen.ts'

/** Why this machine has no pseudo-terminal; undefined if it has one. */
export const noTerminal =
  spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'no `script` of util-linux here'

export interface InTerminal {
  screen: Screen
  /** All bytes that the terminal got. */
  raw: string
  code: number | null
}

export interface TerminalOptions {
  columns?: number
  rows?: number
  env?: NodeJS.ProcessEnv
  /** Called with the terminal's content so far. A string that it returns is typed. */
  type?: (raw: string) => string | undefined
}

/** `command` is a line of shell. It ends with the command's own exit code. */
export async function runInTerminal(command: string, options: TerminalOptions = {}): Promise<InTerminal> {
  const { columns = 100, rows = 40, env, type } = options
  // Some shells end with a Ctrl-C that was meant for their command, unless they have a trap for it.
  const line = `trap : INT; stty cols ${columns} rows ${rows}; ${command}`
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { ...process.env, NO_COLOR: undefined, CI: undefined, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const screen = openScreen(columns, rows)
  let raw = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    raw += chunk
    screen.write(chunk)
    const keys = type?.(raw)
    if (keys) child.stdin.write(keys)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { screen, raw, code }
}
