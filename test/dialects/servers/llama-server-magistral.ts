/** llama-server, LM Studio or KoboldCpp with Magistral and no parser: reasoning stands in the text, between its tags. */
import { halves } from '../dialect.ts'
import { dialect as server } from './llama-server.ts'

export const dialect = {
  ...server,
  name: 'llama-server, Magistral without a parser',
  reasoningIn: undefined,
  showsReasoning: true,
  deltas: (said: Parameters<typeof server.deltas>[0]) =>
    said.reasoning && said.text
      ? halves(`[THINK]${said.reasoning}[/THINK]${said.text}`).map((content) => ({ content }))
      : server.deltas(said),
}
