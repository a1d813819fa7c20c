// Some registries lack node-llama-cpp's Mac and Windows builds; `npm install` then writes a lock file
// without them and `npm ci` refuses it. Run this after every `npm install`: it names them again.
import fs from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(fs.readFileSync(file, 'utf8'))
const { version } = lock.packages['node_modules/node-llama-cpp']
const platforms = {
  'mac-arm64-metal': [['darwin'], ['arm64', 'x64']],
  'mac-x64': [['darwin'], ['x64']],
  'win-arm64': [['win32'], ['arm64', 'x64']],
  'win-x64': [['win32'], ['x64']],
  'linux-riscv64': [['linux'], ['riscv64']],
}
for (const [name, [os, cpu]] of Object.entries(platforms)) {
  lock.packages[`node_modules/@node-llama-cpp/${name}`] ??= {
    version,
    cpu,
    dev: true,
    license: 'MIT',
    optional: true,
    os,
    engines: { node: '>=20.0.0' },
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
