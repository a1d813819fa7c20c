/** For tests that bound the cost of something: a busy machine takes longer, and needs no more of the processor. */

/** Milliseconds of the processor that this process has taken since `from`, which an earlier `process.cpuUsage()` gave. */
export function cpuMsSince(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1_000
}
