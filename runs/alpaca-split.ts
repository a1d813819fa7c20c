/**
 * Splits the outputs of systems on AlpacaEval for `runs/low-perplexity.sh`: rows to test, of instructions that are short
 * enough, and all others to train. `node runs/alpaca-split.ts OUTPUTS OUT PUBLISHED.csv TARGET TEST MAX_CHARS` writes folders of
 * outputs: test and train (five systems), best and worst (the two with the highest and the lowest published
 * length-controlled rate, for the instructions of test), and targets.json.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { randomFrom, shuffle } from '../src/lib/random.ts'

const [outputs = '', out = '', published = '', target = '', test = '', maxChars = ''] = process.argv.slice(2)

interface Output {
  instruction: string
  output: string
  generator: string
}

const SYSTEMS = 5
const read = (file: string): Output[] => JSON.parse(readFileSync(path.join(outputs, file), 'utf8'))
/** The benchmark's baseline has no published rate: it wins against itself in half of the cases. */
const rates = new Map([
  ['gpt4_1106_preview', 50],
  ...readFileSync(published, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line): [string, number] => {
      const cells = line.split(',')
      return [cells[0] as string, Number(cells[5])]
    }),
])
const names = readdirSync(outputs)
  .filter((name) => name.endsWith('.json') && name !== target)
  .sort((a, b) => (rates.get(b.slice(0, -5)) ?? 0) - (rates.get(a.slice(0, -5)) ?? 0))
const systems = new Map(names.map((name) => [name, new Map(read(name).map((row) => [row.instruction, row]))]))
const shown = names.slice(-SYSTEMS)
const targets = read(target)
const lengthOf = (instruction: string) =>
  shown.reduce((sum, name) => sum + (systems.get(name)?.get(instruction)?.output.length ?? Infinity), 0)
const short = targets
  .filter(({ instruction, output }) => lengthOf(instruction) + output.length <= Number(maxChars))
  .map(({ instruction }) => instruction)
const order = shuffle(short, randomFrom(7))
const chosen = new Set(order.slice(0, Number(test)))
const splits = {
  test: [...chosen],
  train: targets.map(({ instruction }) => instruction).filter((instruction) => !chosen.has(instruction)),
}

function write(folder: string, of: string[], instructions: string[]): void {
  mkdirSync(path.join(out, folder), { recursive: true })
  for (const name of of) {
    const rows = instructions.flatMap((instruction) => systems.get(name)?.get(instruction) ?? [])
    writeFileSync(path.join(out, folder, name), JSON.stringify(rows))
  }
}

write('test', shown, splits.test)
write('train', shown, splits.train)
write('best', names.slice(0, 2), splits.test)
write('worst', names.slice(-2), splits.test)
writeFileSync(path.join(out, 'targets.json'), JSON.stringify(targets))
const list = (of: string[]) => of.map((name) => name.slice(0, -5)).join(', ')
console.error(
  `${short.length} short rows: ${splits.test.length} to test, ${splits.train.length} to train; best: ${list(names.slice(0, 2))}; worst: ${list(names.slice(-2))}`,
)
