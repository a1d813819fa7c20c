/** For tests: a terminal emulator without a window. It shows what a user would see. */
import xterm from '@xterm/headless'

export interface Screen {
  /** As a stream of a terminal has them. */
  readonly columns: number
  readonly rows: number
  write(text: string): boolean
  resize(columns: number, rows: number): void
  /** Returns everything on the screen and above it, without white space at the ends of lines and of the text. */
  read(): Promise<string>
  isCursorHidden(): Promise<boolean>
}

/** Makes a screen. Line feeds also return to the first column, as in a terminal's driver. */
export function openScreen(columns: number, rows: number): Screen {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    convertEol: true,
    allowProposedApi: true,
    scrollback: 1000,
  })
  let written = ''
  const settle = () => new Promise<void>((resolve) => terminal.write('', resolve))
  return {
    get columns() {
      return terminal.cols
    },
    get rows() {
      return terminal.rows
    },
    write(text) {
      written += text
      terminal.write(text)
      return true
    },
    resize: (columns, rows) => terminal.resize(columns, rows),
    async read() {
      await settle()
      const { active } = terminal.buffer
      const lines = Array.from({ length: active.length }, (_, i) =>
        active.getLine(i)?.translateToString(true),
      )
      return lines.join('\n').trimEnd()
    },
    async isCursorHidden() {
      await settle()
      return written.lastIndexOf('\x1b[?25l') > written.lastIndexOf('\x1b[?25h')
    },
  }
}
