/** Runs a bench by its file's name: `npm run bench -- NAME [its flags]`. */
import { globSync, readFileSync } from 'node:fs'

const [name = ''] = process.argv.splice(2, 1)
const files = globSync('*.ts', { cwd: import.meta.dirname })
const names = files
  .filter((file) =>
    readFileSync(`${import.meta.dirname}/${file}`, 'utf8').includes(`npm run bench -- ${file.slice(0, -3)}`),
  )
  .map((file) => file.slice(0, -3))
if (names.includes(name)) await import(`./${name}.ts`)
else {
  console.error(`there is no bench "${name}"; there are: ${names.sort().join(', ')}`)
  process.exitCode = 2
}
