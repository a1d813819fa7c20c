#!/usr/bin/env node
/**
 * Starts the command line: the sources in a checkout, the compiled files in an installed package. Plain JavaScript that
 * Node 20 understands: in a checkout an older Node hands over to the one that `npm ci` installed.
 */
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const isCheckout = existsSync(at('src/apps/cli/main.ts'))
const [major, minor] = process.versions.node.split('.').map(Number)
const isCurrent = major > 22 || (major === 22 && minor >= 18)
const newer = [at('node_modules/node/bin/node'), at('node_modules/node/bin/node.exe')].find(existsSync)

if (isCheckout && !existsSync(at('node_modules'))) {
  refuse('aft is not installed yet: run `npm ci` in its folder.')
} else if (isCurrent && (!isCheckout || process.features.typescript)) {
  await start()
} else if (isCheckout && newer && !process.env.AFT_LAUNCHED) {
  await handOver()
} else {
  const hint = isCheckout ? ', or run `npm ci`' : ''
  refuse(`aft needs Node 22.18 or newer, and this is ${process.version}. Install it${hint}.`)
}

async function start() {
  const { emitWarning } = process
  process.emitWarning = (warning, ...rest) => {
    const type = warning?.name ?? rest[0]?.type ?? rest[0]
    if (type !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
  }
  // The first process may be killed and then passes no signal on. Its channel closes all the same.
  if (process.env.AFT_LAUNCHED) {
    delete process.env.AFT_LAUNCHED
    process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
    process.channel?.unref()
  }
  // Saves a third of the time to the first token. If it fails, nothing is lost.
  module.enableCompileCache(at(isCheckout ? 'node_modules/.cache/aft' : '../.cache/aft'))
  const { main } = await import(isCheckout ? '../src/apps/cli/main.ts' : '../dist/apps/cli/main.js')
  await main(process.argv.slice(2))
}

/** Runs this file with the newer Node. Signals go to it, its exit code comes back. */
async function handOver() {
  const { spawn } = await import('node:child_process')
  const env = { ...process.env, AFT_LAUNCHED: '1' }
  const child = spawn(newer, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal)
    if (signal) process.kill(process.pid, signal)
    else process.exit(code ?? 1)
  })
}

function refuse(why) {
  console.error(why)
  process.exitCode = 1
}
