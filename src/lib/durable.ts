/** Whether what is written must survive a power cut, not only the end of this process. A process decides it once, for all its files. */
import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

let isOn = false

/** From now on, each write waits until the disk has it. This takes milliseconds each time, on a hard disk tens of them. */
export function surviveCuts(isWanted: boolean): void {
  isOn = isWanted
}

/** Whether writes wait for the disk. */
export function survivesCuts(): boolean {
  return isOn
}

/** Waits until the disk has what was written to an open file. */
export function syncFile(fd: number): void {
  if (isOn) fdatasyncSync(fd)
}

/** Waits until the disk has the names in a file's folder: after the file was made or renamed. Windows does that by itself. */
export function syncName(file: string): void {
  if (!isOn || process.platform === 'win32') return
  const fd = openSync(dirname(file), 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
