/** Whether this is the slow set: `vitest run --mode slow`. A `*.slow.test.ts` may import a quick test file to run it in full. */
export const isSlow = process.env.MODE === 'slow'
