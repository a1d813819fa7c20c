#!/usr/bin/env node
/**
 * Starts the command line. In a checkout it runs the sources, with the Node that `npm ci` installed where this one
 * cannot; in an installed package it runs the compiled files. Plain JavaScript that Node 20 understands.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const isCheckout = existsSync(at('src/apps/cli/main.ts'))
const [major, minor] = process.versions.node.split('.').map(Number)
const node = [at('node_modules/node/bin/node'), at('node_modules/node/bin/node.exe')].find(existsSync)
const isCurrent =
  (major > 22 || (major === 22 && minor >= 18)) && (!isCheckout || process.features.typescript)

if (isCheckout && !existsSync(at('node_modules')))
  refuse('aft is not installed yet: run `npm ci` in its folder.')
else if (isCurrent) await start()
else if (isCheckout && node && !process.env.AFT_LAUNCHED) runAgain()
else
  refuse(
    `aft needs Node 22.18 or newer, and this is ${process.version}. Install it${isCheckout ? ', or run `npm ci`' : ''}.`,
  )

async function start() {
  const { emitWarning } = process
  process.emitWarning = (warning, ...rest) => {
    const type = warning?.name ?? rest[0]?.type ?? rest[0]
    if (type !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
  }
  if (process.env.AFT_LAUNCHED) dieWithLauncher()
  // Compiled once, beside what `npm` installed: a third of the time to the first token. No matter where it fails.
  module.enableCompileCache(at(isCheckout ? 'node_modules/.cache/aft' : '../.cache/aft'))
  const { main } = await import(isCheckout ? '../src/apps/cli/main.ts' : '../dist/apps/cli/main.js')
  await main(process.argv.slice(2))
}

function refuse(why) {
  console.error(why)
  process.exitCode = 1
}

/** Runs this file with a newer Node; signals go down, the exit code comes up. */
function runAgain() {
  const child = spawn(node, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, AFT_LAUNCHED: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal)
    if (signal) process.kill(process.pid, signal)
    else process.exit(code ?? 1)
  })
}

/** A launcher that was killed can pass no signal on; the channel to it closes all the same. */
function dieWithLauncher() {
  delete process.env.AFT_LAUNCHED
  if (!process.channel) return
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel.unref()
}
