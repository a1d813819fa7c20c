import { afterAll } from 'vitest'
import { engineContract } from '../contract.ts'
import { delta, type Fixture, finish, model, startFixture } from './openai.fixture.ts'
import { openOpenAI } from './openai.ts'

const fixtures: Fixture[] = []
afterAll(() => Promise.all(fixtures.map((fixture) => fixture.close())))

async function open(...answers: Parameters<typeof startFixture>) {
  const fixture = await startFixture(...answers)
  fixtures.push(fixture)
  return openOpenAI({
    baseURL: fixture.baseURL,
    model: 'fixture',
    contextLength: 600,
    maxRetries: 1,
    env: {},
  })
}

const situations: Parameters<typeof engineContract>[1]['situations'] = {
  long: {},
  short: { open: () => open(model({ text: () => 'yes' })) },
  unicode: {
    // Every byte in a network chunk of its own.
    open: () =>
      open(async ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const events = [delta(0, '🦊 狐'), delta(0, ' naïve 👩‍🚀'), finish(0)]
        const bytes = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(''))
        for (const byte of bytes) {
          response.write(Buffer.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
        response.end('data: [DONE]\n\n')
      }),
  },
  empty: { open: () => open(model({ text: () => '' })) },
  oneFails: {
    open: () =>
      open((asked) => {
        const index = asked.body.n === 1 || asked.body.n === undefined ? 0 : 1
        asked.send(delta(index, 'half'))
        if (asked.body.n === 3) asked.send(delta(0, 'a'), finish(0), delta(2, 'c'), finish(2))
        asked.done()
      }),
  },
}

const skip = { countTokens: 'servers have no common way to count' }

engineContract('the openai engine', {
  open: () => open(model({ delayMs: 1, contextLength: 600 })),
  situations,
  skip,
})
engineContract('the openai engine at a server that ignores n', {
  open: () => open(model({ delayMs: 1, contextLength: 600, ignoresN: true })),
  situations,
  skip,
})
engineContract('the openai engine at a server that tells usage for each completion', {
  open: () => open(model({ delayMs: 1, contextLength: 600, usage: 'each' })),
  situations,
  skip,
})
engineContract('the openai engine at a server that counts one completion only', {
  open: () => open(model({ delayMs: 1, contextLength: 600, usage: 'one' })),
  situations,
  skip,
})
