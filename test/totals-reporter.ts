/** Prints why tests were skipped and, last, one plain line that scripts can read: `N passed, N failed, N skipped`. */
import { appendFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    for (const test of tests.filter((t) => t.result().state === 'skipped')) {
      const { note } = test.result() as { note?: string }
      console.log(`skipped: ${test.fullName}${note ? ` (${note})` : ''}`)
    }
    const brokenFiles = modules.filter((m) => m.errors().length > 0).length
    const failed = count('failed') + brokenFiles + errors.length
    const line = `${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped`
    console.log(line)
    if (process.env.AFT_TOTALS) appendFileSync(process.env.AFT_TOTALS, `${line}\n`)
  }
}
