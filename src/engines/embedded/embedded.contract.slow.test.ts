import { engineContract } from '../contract.ts'
import { resolveModel } from '../models/models.ts'
import { openEmbedded } from './embedded.ts'

const { file } = await resolveModel('smollm2')
const ask = (content: string) => ({ messages: [{ role: 'user' as const, content }] })

engineContract('the embedded engine', {
  open: () => openEmbedded({ file, threads: 1, contextLength: 1024 }),
  situations: {
    short: ask('What is 2 + 2? Answer with one number.'),
    unicode: {
      ...ask('Repeat this line exactly: 🦊🐺 狐狸 ünï 🦊🐺 狐狸 ünï'),
      sampling: { temperature: 0, maxTokens: 48 },
    },
  },
  skip: { oneFails: 'one native batch decodes all completions: they fail together or not at all' },
  timeoutMs: 600_000,
})
