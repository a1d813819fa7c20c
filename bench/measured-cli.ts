/** The command line, started as `bin/aft.js` does; at its end it prints what the process took. */
import module from 'node:module'
import path from 'node:path'

module.enableCompileCache(path.join(import.meta.dirname, '../node_modules/.cache/aft'))
const { main } = await import('../src/apps/cli/main.ts')

await main(process.argv.slice(2))
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
console.log(JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: maxRSS * 1024 }))
