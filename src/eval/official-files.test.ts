import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { fetchOfficial, fetchOfficialFolder, findOfficialFolder, officialFiles } from './official-files.ts'

const shared = join(import.meta.dirname, '../../../shared/data')
const hasShared = existsSync(shared)
const copies: Record<string, string> = {
  'alpaca_eval_clf.txt': 'alpaca-eval/judge-template.txt',
  'gpt4_1106_preview.json': 'alpaca-eval/outputs/gpt4_1106_preview.json',
  'question.jsonl': 'mt-bench/question.jsonl',
  'reference-gpt-4.jsonl': 'mt-bench/reference-gpt-4.jsonl',
  'judge_prompts.jsonl': 'mt-bench/judge_prompts.jsonl',
  'test.jsonl': 'gsm8k/test.jsonl',
  'input_data.jsonl': 'ifeval/input_data.jsonl',
}
const files = Object.values(officialFiles).flatMap((benchmark) => Object.values(benchmark))
const template = officialFiles['alpaca-eval']['judge-template']
const stallMs = 200

/** A server in place of both owners, and an environment with its address and an empty cache. */
async function startOwner(answer: RequestListener) {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = {
    AFT_GITHUB_RAW: `${url}/`,
    HF_ENDPOINT: url,
    AFT_CACHE_DIR: mkdtempSync(join(tmpdir(), 'aft-official-')),
  }
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(env.AFT_CACHE_DIR, { recursive: true })
  }
  return { paths, env, [Symbol.asyncDispose]: close }
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('expected a failure'),
    (error) => error,
  )
}

test('every file is pinned to a revision, and no two files of a benchmark have the same name', () => {
  for (const { revision, sha256 } of files) {
    expect(revision).toMatch(/^[0-9a-f]{40}$/)
    expect(sha256).toMatch(/^[0-9a-f]{64}$/)
  }
  for (const benchmark of Object.values(officialFiles)) {
    const names = Object.values(benchmark).map(({ file }) => file)
    expect(new Set(names).size).toBe(names.length)
  }
})

describe.runIf(hasShared)('the files themselves', () => {
  const read = (name: string) => readFileSync(join(shared, copies[name] as string))

  test.each(files.filter(({ file }) => file in copies))('$file has its digest and size', (facts) => {
    const bytes = read(facts.file)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(facts.sha256)
    expect('bytes' in facts && facts.bytes).toBe(bytes.length)
  })

  test('are fetched once by repository, revision and path, and then come from the cache', async () => {
    await using owner = await startOwner((_, response) => response.end(read('alpaca_eval_clf.txt')))
    const heard: string[] = []
    const { env } = owner
    const onProgress = ({ label }: { label: string }) => heard.push(label)
    const path = await fetchOfficial('alpaca-eval', 'judge-template', { env, onProgress })
    expect(readFileSync(path).equals(read('alpaca_eval_clf.txt'))).toBe(true)
    expect(owner.paths).toEqual([`/tatsu-lab/alpaca_eval/${template.revision}/${template.path}`])
    expect(heard).toEqual(['alpaca-eval alpaca_eval_clf.txt'])
    expect(
      await fetchOfficial('alpaca-eval', 'judge-template', { env: { ...env, AFT_GITHUB_RAW: 'http://x' } }),
    ).toBe(path)
    expect(owner.paths).toHaveLength(1)
  })

  test('are fetched again if they were changed in the cache', async () => {
    await using owner = await startOwner((_, response) => response.end(read('alpaca_eval_clf.txt')))
    const path = await fetchOfficial('alpaca-eval', 'judge-template', owner)
    writeFileSync(path, 'x'.repeat(template.bytes))
    expect(await fetchOfficial('alpaca-eval', 'judge-template', owner)).toBe(path)
    expect(readFileSync(path).equals(read('alpaca_eval_clf.txt'))).toBe(true)
  })

  test('are all in the folder, under the names that the reader expects', async () => {
    await using owner = await startOwner(({ url = '' }, response) => {
      const name = url.endsWith('/gpt-4.jsonl') ? 'reference-gpt-4.jsonl' : (url.split('/').at(-1) as string)
      response.end(read(name))
    })
    const folder = await fetchOfficialFolder('mt-bench', owner)
    const names = readdirSync(folder).filter((name) => !name.endsWith('.verified'))
    expect(names).toEqual(['judge_prompts.jsonl', 'question.jsonl', 'reference-gpt-4.jsonl'])
  })
})

describe('a failed fetch leaves no file, and its error says what to do:', () => {
  const bytes = Buffer.alloc(template.bytes, 'x')
  test.each<[string, RequestListener, RegExp]>([
    ['a file that is not there', (_, response) => response.writeHead(404).end(), /status 404/],
    ['other bytes', (_, response) => response.end(bytes), /expected SHA-256 \w{64}, got/],
    ['half a file', (_, response) => response.end(bytes.subarray(700)), /expected 1398 bytes, got 698/],
    ['a longer file', (_, response) => response.end(Buffer.concat([bytes, bytes])), /got more/],
    ['an owner that never answers', () => {}, /no data for 0.2 s/],
    ['an owner that falls silent', (_, response) => response.write('x'), /no data for 0.2 s/],
    [
      'a connection that breaks off',
      (_, response) => response.write('x', () => response.destroy()),
      /terminated/,
    ],
  ])('%s', async (_, answer, reason) => {
    await using owner = await startOwner(answer)
    const error = await failureOf(fetchOfficial('alpaca-eval', 'judge-template', { ...owner, stallMs }))
    expect(error).toBeInstanceOf(DataError)
    expect(error.message).toMatch(reason)
    expect(error.message).toMatch(/or download http:\S+alpaca_eval_clf.txt yourself \(SHA-256 784227e6\w+\)/)
    expect(error.message).toMatch(
      /^\S+alpaca_eval_clf.txt: cannot get[\s\S]* and put it there or give its path$/,
    )
    expect(readdirSync(findOfficialFolder('alpaca-eval', owner.env))).toEqual([])
  })

  test('no network', async () => {
    await using owner = await startOwner(() => {})
    const env = { ...owner.env, AFT_GITHUB_RAW: 'http://127.0.0.1:1' }
    const { message } = await failureOf(fetchOfficial('gsm8k', 'questions', { env }))
    expect(message).toMatch(/test.jsonl: cannot get gsm8k's test.jsonl: fetch failed: /)
  })

  test('a file of unknown size with another digest, from the model hub', async () => {
    await using owner = await startOwner((_, response) => response.end('a,b\n1,2\n'))
    const { message } = await failureOf(fetchOfficial('alpaca-eval', 'gamed', owner))
    expect(message).toMatch(/expected SHA-256 97aeec3f/)
    expect(owner.paths[0]).toMatch(/^\/datasets\/tatsu-lab\/alpaca_eval\/resolve\/\w{40}\/df_gamed.csv$/)
    expect(readdirSync(findOfficialFolder('alpaca-eval', owner.env))).toEqual([])
  })

  test('a cache that cannot be written', async () => {
    await using owner = await startOwner((_, response) => response.end(bytes))
    const file = join(owner.env.AFT_CACHE_DIR, 'benchmarks')
    writeFileSync(file, '')
    const error = await failureOf(fetchOfficial('alpaca-eval', 'judge-template', owner))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toMatch(/a part of the path is a file, not a folder; AFT_CACHE_DIR names another/)
  })

  test('an abort, which is the reason itself', async () => {
    await using owner = await startOwner((_, response) => response.write('x'))
    const [stop, reason] = [new AbortController(), new Error('enough')]
    const onProgress = () => stop.abort(reason)
    const options = { ...owner, signal: stop.signal, onProgress }
    expect(await failureOf(fetchOfficial('alpaca-eval', 'judge-template', options))).toBe(reason)
    expect(readdirSync(findOfficialFolder('alpaca-eval', owner.env))).toEqual([])
  })
})
