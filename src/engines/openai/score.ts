/**
 * Log probabilities of a text that is given, at servers that report those of a prompt. In a chat the text is the end of the
 * prompt, as an assistant's message that goes on (vLLM's `prompt_logprobs`). Raw text is sent back with its scores (`echo`).
 */
import { StringDecoder } from 'node:string_decoder'
import type { Message, TokenScore } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { IdleTimeout } from '../../lib/idle-timeout.ts'
import { post } from './post.ts'
import type { Server } from './question.ts'
import { joinText } from './raw.ts'

/** Far above what a prompt of a million tokens takes. */
const MAX_BYTES = 1 << 28

interface Scored {
  usage?: { prompt_tokens?: number }
  choices?: { logprobs?: Echo | null }[]
  prompt_logprobs?: (Record<string, { logprob?: number; decoded_token?: string }> | null)[] | null
}

/** What stands in `logprobs` of raw text: lists side by side. Offsets are in characters of Unicode. */
interface Echo {
  tokens?: string[]
  token_logprobs?: (number | null)[]
  text_offset?: number[]
}

/**
 * Returns the score of each token of a completion after a conversation.
 * @throws EngineError if the server does not report log probabilities of prompts
 */
export async function score(server: Server, messages: Message[], completion: string): Promise<TokenScore[]> {
  const grant = await server.slots.take(1)
  try {
    if (server.isRaw) return await scoreRaw(server, joinText(messages), completion)
    // How long the conversation is: what follows are the tokens of the completion.
    const before = await ask(server, { messages, add_generation_prompt: true })
    const length = before.usage?.prompt_tokens
    const whole = await ask(server, {
      messages: [...messages, { role: 'assistant', content: completion }],
      add_generation_prompt: false,
      continue_final_message: true,
      prompt_logprobs: 0,
    })
    const found = whole.prompt_logprobs
    if (length === undefined || !Array.isArray(found)) throw unsupported(server, '`prompt_logprobs`')
    return found.slice(length).map((entry) => {
      const { logprob, decoded_token: token } = Object.values(entry ?? {})[0] ?? {}
      if (typeof logprob !== 'number' || typeof token !== 'string')
        throw unsupported(server, '`prompt_logprobs`')
      return { token, logprob }
    })
  } finally {
    grant.release()
  }
}

async function scoreRaw(server: Server, prompt: string, completion: string): Promise<TokenScore[]> {
  const asked = { prompt: prompt + completion, echo: true, logprobs: 1 }
  const { choices } = await ask(server, asked)
  const { tokens, token_logprobs: logprobs, text_offset: offsets } = choices?.[0]?.logprobs ?? {}
  if (!Array.isArray(tokens) || !Array.isArray(offsets))
    throw unsupported(server, '`logprobs` of a prompt (`echo`)')
  const from = [...prompt].length
  const to = from + [...completion].length
  // The last token is one that the server added.
  return tokens.flatMap((token, i) => {
    const [logprob, offset = 0] = [logprobs?.[i], offsets[i]]
    if (offset < from || offset >= to) return []
    if (typeof token !== 'string' || typeof logprob !== 'number')
      throw unsupported(server, '`logprobs` of a prompt (`echo`)')
    return [{ token, logprob }]
  })
}

function unsupported({ target }: Server, field: string): EngineError {
  const problem = `expected ${field} from the server, as vLLM reports them, got none: use vLLM or an embedded model`
  return new EngineError(target.id, 'refused', problem)
}

async function ask({ target, model, extraBody, wholeTimeoutMs }: Server, asked: object): Promise<Scored> {
  const problem = `nothing came from the server for ${wholeTimeoutMs} ms`
  const idle = new IdleTimeout(
    wholeTimeoutMs,
    () => new EngineError(target.id, 'timeout', problem),
    new AbortController().signal,
  )
  const utf8 = new StringDecoder('utf8')
  let [text, bytes] = ['', 0]
  try {
    const body = { model, max_tokens: 1, stream: false, ...asked, ...extraBody }
    const reply = await idle.wait(post(target, body, { signal: idle.signal }))
    await idle.wait(
      reply.read((piece) => {
        idle.restart()
        bytes += piece.byteLength
        if (bytes > MAX_BYTES)
          throw new EngineError(target.id, 'server', `an answer of more than ${MAX_BYTES} bytes`)
        text += utf8.write(piece)
        return false
      }),
    )
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new EngineError(target.id, 'server', 'expected JSON from the server')
  } finally {
    idle.end()
  }
}
