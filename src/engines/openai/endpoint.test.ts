import { describe, expect, it } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { completionsURL, normalizeURL } from './endpoint.ts'
import { collect, type Fixture, model, open, startFixture } from './openai.fixture.ts'
import { keyFor, openOpenAI } from './openai.ts'

describe('the key in OPENAI_API_KEY', () => {
  const env = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'https://llm.example/v1' }
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://llm.example/v1', env, 'k'],
    ['https://llm.example/other/v1', env, 'k'],
    ['http://llm.example/v1', env, undefined],
    ['https://llm.example:8443/v1', env, undefined],
    ['https://evil.example/v1', env, undefined],
    ['https://llm.example.evil.example/v1', env, undefined],
    ['https://api.openai.com/v1', env, undefined],
    ['https://api.openai.com/v1', { OPENAI_API_KEY: 'k' }, 'k'],
    ['https://api.openai.com/v1', { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: ' ' }, 'k'],
    ['https://llm.example/v1', { OPENAI_API_KEY: 'k' }, undefined],
    ['https://llm.example/v1', { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'nonsense' }, undefined],
    ['http://127.0.0.1:8000/v1', env, 'k'],
    ['http://127.9.9.9:8000/v1', env, 'k'],
    ['http://localhost:8000/v1', env, 'k'],
    ['http://[::1]:8000/v1', env, 'k'],
    ['http://127.0.0.1.evil.example/v1', env, undefined],
    ['http://localhost.evil.example/v1', env, undefined],
    ['http://127.0.0.1:8000/v1', {}, undefined],
  ])('for %s, with %o, is %s', (baseURL, env, key) => {
    expect(keyFor(baseURL, env)).toBe(key)
  })

  it('is not sent if another variable is named, which must be set', () => {
    expect(keyFor('https://llm.example/v1', { ...env, OTHER: 'o' }, 'OTHER')).toBe('o')
    expect(() => keyFor('http://localhost/v1', env, 'OTHER')).toThrow(UsageError)
    expect(() => keyFor('http://localhost/v1', env, 'OTHER')).toThrow('OTHER')
  })

  it('is required at the start for OpenAI itself', () => {
    expect(() => openOpenAI({ model: 'm', env: {} })).toThrow('set OPENAI_API_KEY')
  })
})

describe('an address', () => {
  it('names the engine, without secrets', () => {
    const open = (baseURL: string) => openOpenAI({ baseURL, model: 'm', env: {} }).id
    expect(open('http://me:pass@localhost:8000/v1/?key=secret')).toBe('http://localhost:8000/v1#m')
    expect(openOpenAI({ model: 'm', env: { OPENAI_BASE_URL: 'http://localhost:1/v1' } }).id).toBe(
      'http://localhost:1/v1#m',
    )
  })

  it.each(['localhost:8000/v1', 'ftp://localhost/v1', '', 'v1'])(
    '"%s" is refused with an example',
    (address) => {
      expect(() => normalizeURL(address)).toThrow('such as http://127.0.0.1:8000/v1')
    },
  )
})

describe('the URL of a request', () => {
  it.each([
    ['http://localhost:8000/v1', 'http://localhost:8000/v1/chat/completions'],
    ['http://localhost:8000/v1/', 'http://localhost:8000/v1/chat/completions'],
    ['https://host.example', 'https://host.example/chat/completions'],
    ['https://host.example/a/b%20c/v1', 'https://host.example/a/b%20c/v1/chat/completions'],
    [
      'https://host.example/openai/deployments/x?api-version=2024-10-21&a=1&a=2',
      'https://host.example/openai/deployments/x/chat/completions?api-version=2024-10-21&a=1&a=2',
    ],
  ])('for %s is %s', (baseURL, url) => {
    expect(completionsURL(baseURL)).toBe(url)
  })

  it('is the one that the server sees, also after a redirect that keeps the method', async () => {
    const paths: (string | undefined)[] = []
    const { engine, asked } = await open({ apiKey: 'secret' }, (one) => {
      paths.push(one.response.req.url)
      if (one.number > 0) return model()(one)
      one.response.writeHead(307, { location: '/elsewhere?x=1' }).end()
    })
    expect((await collect(engine)).ends).toHaveLength(1)
    expect(paths).toEqual(['/v1/chat/completions', '/elsewhere?x=1'])
    expect(asked[1]?.body).toEqual(asked[0]?.body)
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', 'Bearer secret'])
  })

  it('with a redirect to another host is not followed: only the named server gets the prompt', async () => {
    const other = await startFixture(model())
    const elsewhere = other.baseURL.replace('127.0.0.1', 'localhost')
    const { engine } = await open({ apiKey: 'secret' }, ({ response }) => {
      response.writeHead(307, { location: `${elsewhere}/chat/completions` }).end()
    })
    const { failures } = await collect(engine)
    await other.close()
    expect(failures[0]?.error).toMatchObject({ kind: 'not-found', isRetryable: false })
    expect(failures[0]?.error.message).toContain(
      `the server sends on to ${elsewhere}: give that address instead`,
    )
    expect(other.asked).toEqual([])
  })
})

describe('headers from the environment', () => {
  const headersAt = (fixture: Fixture, env: Record<string, string>, apiKey?: string) =>
    collect(openOpenAI({ baseURL: fixture.baseURL, model: 'm', env, apiKey }))

  it('go to the server of OPENAI_BASE_URL only', async () => {
    const fixture = await startFixture(model())
    const custom = { OPENAI_CUSTOM_HEADERS: 'x-api-key: secret', OPENAI_ORG_ID: 'us', OPENAI_PROJECT_ID: 'p' }
    await headersAt(fixture, { ...custom, OPENAI_BASE_URL: fixture.baseURL })
    await headersAt(fixture, custom)
    await fixture.close()
    const names = ['x-api-key', 'openai-organization', 'openai-project']
    expect(fixture.asked.map(({ headers }) => names.map((name) => headers[name]))).toEqual([
      ['secret', 'us', 'p'],
      [undefined, undefined, undefined],
    ])
  })

  it('are read from process.env if no other environment is given', async () => {
    const fixture = await startFixture(model())
    process.env.OPENAI_CUSTOM_HEADERS = 'x-api-key: secret'
    process.env.OPENAI_BASE_URL = fixture.baseURL
    try {
      await collect(openOpenAI({ model: 'm' }))
      expect(fixture.asked[0]?.headers['x-api-key']).toBe('secret')
    } finally {
      delete process.env.OPENAI_CUSTOM_HEADERS
      delete process.env.OPENAI_BASE_URL
      await fixture.close()
    }
  })

  it('may replace the key, but not what the engine itself says', async () => {
    const fixture = await startFixture(model())
    const OPENAI_CUSTOM_HEADERS =
      'Authorization: Basic abc\nno colon\nX-Aft-Hops: 7\nContent-Type: text/plain\n'
    const env = { OPENAI_CUSTOM_HEADERS, OPENAI_BASE_URL: fixture.baseURL }
    await headersAt(fixture, env, 'key')
    await headersAt(fixture, env)
    await fixture.close()
    const names = ['authorization', 'x-aft-hops', 'content-type', 'accept']
    expect(fixture.asked.map(({ headers }) => names.map((name) => headers[name]))).toEqual([
      ['Basic abc', '1', 'application/json', 'application/json'],
      [undefined, '1', 'application/json', 'application/json'],
    ])
  })

  it('that HTTP cannot carry are refused at the start, and not shown', () => {
    const baseURL = 'http://localhost:1/v1'
    const broken = () => openOpenAI({ baseURL, model: 'm', apiKey: 'my-own–key', env: {} })
    expect(broken).toThrow(UsageError)
    expect(broken).toThrow('"authorization"')
    expect(broken).not.toThrow('my-own')
  })
})
