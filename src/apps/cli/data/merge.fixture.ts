/** Rows with the faults of real files, for tests of parts and their merge. */

const words = (i: number) =>
  Array.from({ length: 24 }, (_, k) => `word${(i * i * 31 + i * k * 613 + k * k * 17) % 99_991}`).join(' ')

const filler = (i: number, count: number) =>
  Array.from({ length: count }, (_, k) => `é${(i * 7919 + k * k * 31 + i * k) % 99_991}`).join(' ')

/** The line of a row: of each 20, one has a prompt from before, one nearly such a one, one an id from before, and one is broken. */
export function faultyRow(i: number, length = 4): string {
  if (i % 20 === 9) return '{"prompt": "cut'
  const of = i % 20 === 5 ? Math.max(0, i - 27) : i % 20 === 7 ? Math.max(0, i - 33) : i
  const prompt = `${words(of)}${i % 20 === 7 ? ' please' : ''}`
  const text = (k: number) => `Answer ${k} to ${i}, ${filler(i + 5000 * k, length)} "quoted".`
  const id = i % 20 === 3 ? 'twice' : `row-${i}`
  return JSON.stringify({
    id,
    prompt,
    responses: [text(0), text(1), i % 3 ? text(2) : text(1)],
    target: text(9),
  })
}
