/** Held-out arithmetic rows as questions in GSM8K's form: `node runs/questions.ts DATA OUT.jsonl`. */
import { writeFileSync } from 'node:fs'
import { textOf } from '../src/core/provider/engine.ts'
import { readExamples } from '../src/files/examples.ts'

const [data = '', out = ''] = process.argv.slice(2)
const lines: string[] = []
for await (const { prompt, completion } of readExamples(data, 'validation')) {
  const question = prompt.filter(({ role }) => role === 'user').map(textOf)
  lines.push(JSON.stringify({ question: question.join('\n'), answer: completion[0].content }))
}
writeFileSync(out, `${lines.join('\n')}\n`)
