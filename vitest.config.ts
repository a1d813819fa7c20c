import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** `vitest run` is the quick set; `vitest run --mode slow` the rest: big models, other servers, data sets, the package. */
export default defineConfig(({ mode }) => {
  const isSlow = mode === 'slow'
  return {
    test: {
      include: [isSlow ? '{src,test,scripts}/**/*.slow.test.ts' : '{src,test,scripts}/**/*.test.ts'],
      exclude: isSlow ? [] : ['**/*.slow.test.ts'],
      // Two slow files at a time: their programs use one core each, or wait. Quick files wait half of the time.
      maxWorkers: isSlow ? 2 : availableParallelism() + 1,
      // A worker keeps its modules for the next quick file: half of the time went into loading them again.
      isolate: isSlow,
      testTimeout: isSlow ? 1_200_000 : 60_000,
      hookTimeout: isSlow ? 600_000 : 300_000,
      expect: { poll: { timeout: isSlow ? 120_000 : 20_000 } },
      globalSetup: ['./test/scratch.ts'],
      reporters: ['default', './test/totals-reporter.ts'],
    },
  }
})
