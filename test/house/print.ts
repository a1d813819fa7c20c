/** `npm run house`: lines per folder beside their budget, the longest functions, and import circles. */
import { budgets, findCircles, functionsOf, importGraph, linesPerFolder, read, sources } from './house.ts'

const lines = linesPerFolder()
console.log(`${'folder'.padEnd(18)} lines  budget`)
for (const [folder, budget] of Object.entries(budgets)) {
  const used = lines[folder] ?? 0
  const mark = used > budget ? '  over its budget' : ''
  console.log(`${folder.padEnd(18)} ${String(used).padStart(5)}  ${String(budget).padStart(6)}${mark}`)
}
const total = sources.reduce((sum, file) => sum + read(file).split('\n').length - 1, 0)
console.log(`${'all'.padEnd(18)} ${String(total).padStart(5)}  in ${sources.length} files`)

console.log('\nlongest functions')
const functions = sources.flatMap((file) => functionsOf(file, read(file)))
for (const { file, name, line, lines } of functions.sort((a, b) => b.lines - a.lines).slice(0, 12)) {
  console.log(`${String(lines).padStart(5)}  ${name}  ${file}:${line}`)
}

const circles = findCircles(importGraph())
console.log(`\nimport circles: ${circles.length}`)
for (const circle of circles) console.log(`  ${circle.join(' ')}`)
