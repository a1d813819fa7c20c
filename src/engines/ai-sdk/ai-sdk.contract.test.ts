import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterAll } from 'vitest'
import { type ChatServer, startChatServer } from '../../../test/chat-server.ts'
import { engineContract } from '../contract.ts'
import { echo, type Script, scriptedEngine } from '../scripted/scripted.ts'
import { fromAiSdk } from './ai-sdk.ts'

const servers: ChatServer[] = []
afterAll(() => Promise.all(servers.map((server) => server.close())))

/** An engine of an AI SDK model whose server follows a script. */
const open = async (script: Script) => {
  const server = await startChatServer(scriptedEngine(script, { contextLength: 600, delayMs: 1 }))
  servers.push(server)
  const provider = createOpenAICompatible({ name: 'local', baseURL: server.baseURL, includeUsage: true })
  return fromAiSdk(provider('scripted'), { maxRetries: 0 })
}

engineContract('an AI SDK model', {
  open: () => open((request, index) => `${echo(request, index)} ${'and on '.repeat(99)}`),
  situations: {
    short: { open: () => open(() => 'yes') },
    unicode: { open: () => open(() => '🦊 狐 naïve 👩‍🚀') },
    empty: { open: () => open(() => '') },
    overflow: { messages: [{ role: 'user', content: 'word '.repeat(600) }] },
    oneFails: {
      open: () =>
        open(({ seeds }) =>
          seeds[0] === 1001 ? { text: 'half', error: { kind: 'server', message: 'gone' } } : 'ok',
        ),
    },
  },
  skip: { countTokens: 'the specification has no way to count' },
})
