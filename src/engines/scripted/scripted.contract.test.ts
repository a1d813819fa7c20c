import { engineContract } from '../contract.ts'
import { echo, type Script, scriptedEngine } from './scripted.ts'

const open = async (script: Script) => scriptedEngine(script, { contextLength: 600 })

engineContract('the scripted engine', {
  open: () => open((request, index) => `${echo(request, index)} ${'and on '.repeat(99)}`),
  situations: {
    short: { open: () => open(() => 'yes') },
    unicode: { open: () => open(() => '🦊 狐 naïve 👩‍🚀') },
    empty: { open: () => open(() => '') },
    oneFails: {
      open: () =>
        open((_, i) => (i === 1 ? { text: 'half', error: { kind: 'server', message: 'gone' } } : 'ok')),
    },
  },
})
