/**
 * Puzzles as prompts with their right answers, for `aft data propose` and `aft eval puzzles`:
 * `node runs/puzzle-rows.ts KINDS COUNT SEED OUT.jsonl`. A row has no drafts.
 */
import { writeFileSync } from 'node:fs'
import { generatePuzzles } from '../src/data/sources/puzzles.ts'

const [kinds = '', count = '', seed = '', out = ''] = process.argv.slice(2)
const rows = [...generatePuzzles(Number(count), Number(seed), kinds)]
const lines = rows.map(({ id, prompt, target }) => JSON.stringify({ id, messages: prompt, target }))
writeFileSync(out, `${lines.join('\n')}\n`)
