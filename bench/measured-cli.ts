/** The command line; at its end it prints what the process took. */
import { main } from '../src/apps/cli/main.ts'

await main(process.argv.slice(2))
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
console.log(JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: maxRSS * 1024 }))
