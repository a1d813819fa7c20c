/**
 * Prints why tests were skipped and which failed, and last one plain line that scripts can read:
 * `N passed, N failed, N skipped`. If AFT_TOTALS names a file, the failures and that line are added to it.
 */
import { appendFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const have = (state: string) => tests.filter((test) => test.result().state === state)
    for (const test of have('skipped')) {
      const { note } = test.result() as { note?: string }
      console.log(`skipped: ${test.fullName}${note ? ` (${note})` : ''}`)
    }
    const broken = modules.filter((module) => module.errors().length > 0)
    const failures = [
      ...have('failed').map((test) => `${test.module.relativeModuleId} > ${test.fullName}`),
      ...broken.map((module) => `${module.relativeModuleId}, outside of its tests`),
      ...errors.map((error) => `outside of all tests: ${String((error as Error)?.message ?? error)}`),
    ].map((failure) => `failed: ${failure.replace(/\s+/g, ' ')}`)
    const total = `${have('passed').length} passed, ${failures.length} failed, ${have('skipped').length} skipped`
    for (const line of [...failures, total]) {
      console.log(line)
      if (process.env.AFT_TOTALS) appendFileSync(process.env.AFT_TOTALS, `${line}\n`)
    }
  }
}
