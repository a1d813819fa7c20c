import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const bin = path.join(import.meta.dirname, '../../../bin/aft.js')
const run = (...args: string[]) => promisify(execFile)(process.execPath, [bin, 'serve', ...args])

test('the first line is the address, which answers, and SIGTERM ends it with 0', async () => {
  const child = spawn(process.execPath, [bin, 'serve', '--model', 'scripted:echo', '--port', '0'])
  try {
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const response = await fetch(`${line.trim()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'aft-fast', messages: [{ role: 'user', content: 'Name a river.' }] }),
    })
    expect(await response.json()).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      aft: { degraded: false },
    })
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a public address without a key is refused', async () => {
  const refused = run('--model', 'scripted:echo', '--host', '0.0.0.0', '--port', '0')
  await expect(refused).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--api-key-env') })
})
