import { describe, expect, it } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { normaliseURL } from './endpoint.ts'
import { collect, model, startFixture } from './openai.fixture.ts'
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

  it('is not sent where another variable is named, which must be set', () => {
    expect(keyFor('https://llm.example/v1', { ...env, OTHER: 'o' }, 'OTHER')).toBe('o')
    expect(() => keyFor('http://localhost/v1', env, 'OTHER')).toThrow(UsageError)
    expect(() => keyFor('http://localhost/v1', env, 'OTHER')).toThrow('OTHER')
  })

  it('is missed at the start where OpenAI itself is asked', () => {
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
      expect(() => normaliseURL(address)).toThrow('such as http://127.0.0.1:8000/v1')
    },
  )
})

describe('headers from the environment', () => {
  it('go to the server of OPENAI_BASE_URL only', async () => {
    const fixture = await startFixture(model())
    process.env.OPENAI_CUSTOM_HEADERS = 'x-api-key: secret'
    try {
      const { baseURL } = fixture
      const own = { OPENAI_BASE_URL: baseURL, OPENAI_ORG_ID: 'us' }
      await collect(openOpenAI({ baseURL, model: 'm', env: own }))
      await collect(openOpenAI({ baseURL, model: 'm', env: { OPENAI_ORG_ID: 'us' } }))
      const sent = fixture.asked.map(({ headers }) => [headers['x-api-key'], headers['openai-organization']])
      expect(sent).toEqual([
        ['secret', 'us'],
        [undefined, undefined],
      ])
    } finally {
      delete process.env.OPENAI_CUSTOM_HEADERS
      await fixture.close()
    }
  })
})
