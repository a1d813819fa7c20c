import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { useRunFolder } from './run-folder.fixture.ts'

const folder = useRunFolder(aftHere)
const queue = ['--queue', 'redis://127.0.0.1:1/0']

test.each([
  [['--run', 'x'], '--run is the name of a run in a queue: it needs --queue'],
  [
    [...queue, '--concurrency', '9'],
    '--concurrency: with --queue the workers open the models; give it to `aft work`',
  ],
  [['--queue', 'http://h'], 'expected the address of a Redis or Valkey, such as redis://127.0.0.1:6379/0'],
])('`aft run %j` is refused before the first call', async (flags, message) => {
  folder.writePrompts(1)
  const { code, stderr } = await folder.run(['--model', 'scripted:echo', '--no-progress', ...flags])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
})

test('a queue that cannot be reached is an error that names it, without its password', async () => {
  writeFileSync(folder.at('p.jsonl'), '{"prompt":"a"}\n')
  const address = 'redis://:pass-word-1@127.0.0.1:1/0'
  for (const args of [['work'], ['status'], ['run', 'p.jsonl', '-o', 'a.jsonl', '--model', 'm']]) {
    const { code, stderr } = await folder.aft([...args, '--queue', address])
    expect(code).toBe(1)
    expect(stderr).toContain('redis 127.0.0.1:1/0: connect ECONNREFUSED')
    expect(stderr).not.toContain('pass-word-1')
  }
})

test('`aft serve` ends if the Redis that counts cannot be reached', async () => {
  const store = ['--usage-store', 'redis://:pass-word-2@127.0.0.1:1/0']
  const { code, stderr } = await folder.aft(['serve', '--model', 'scripted:echo', '--port', '0', ...store])
  expect(code).toBe(1)
  expect(stderr).toContain('redis 127.0.0.1:1/0: connect ECONNREFUSED')
  expect(stderr).not.toContain('pass-word-2')
})

test('a worker refuses what is no pair of names, and a key in an address', async () => {
  const work = (model: string) => folder.aft(['work', ...queue, '-m', model])
  expect((await work('llama')).stderr).toContain('expected NAME=MODEL')
  const { code, stderr } = await work('llama=http://h/v1?key=sk-abcdefghijkl#m')
  expect(code).toBe(2)
  expect(stderr).not.toContain('abcdefghijkl')
})
