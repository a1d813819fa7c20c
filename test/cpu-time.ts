/** For tests that bound the cost of something: a busy machine takes longer, and needs no more of the processor. */
import { spawnSync } from 'node:child_process'

/** Milliseconds of the processor that this process has taken since `from`, which an earlier `process.cpuUsage()` gave. */
export function cpuMsSince(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1_000
}

/** Seconds of the processor that other processes have taken, in whole ones; 0 for those that are gone. */
export function cpuSecondsOf(pids: number[]): number {
  const { stdout } = spawnSync('ps', ['-o', 'time=', '-p', pids.join() || '0'], { encoding: 'utf8' })
  const seconds = (time: string) => time.split(/[-:]/).reduce((sum, part) => 60 * sum + Number(part), 0)
  return stdout.split('\n').reduce((sum, line) => sum + seconds(line.trim()), 0)
}
