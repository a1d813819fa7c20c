/** A server in a dialect: each file of this folder says how one kind of server answers. */
import type { Answer, Asked } from '../../src/engines/openai/openai.fixture.ts'

/** One choice of an answer, before a dialect gives it its form. */
export interface Said {
  reasoning?: string
  text?: string
  calls?: { name: string; arguments: string }[]
}

/** How a kind of server answers. Adding a server is adding a file that exports one. */
export interface Dialect {
  name: string
  /** The pieces of a choice, in order: the deltas of a stream. */
  toDeltas(said: Said): object[]
  /** The word that ends a choice. */
  finish(said: Said): string
  /** Fields of the request that it refuses by name. */
  refuses?: string[]
  /** It answers one choice, whatever `n` is. */
  ignoresN?: boolean
  /** Its finish reason stands in every piece. */
  finishesEachPiece?: boolean
  /** It counts reasoning, and shows none. */
  hidesReasoning?: boolean
  /** How it writes an error in the middle of a stream. */
  toError(message: string): string
}

/** Pieces as OpenAI has them. */
export function plainDeltas({ text = '', calls = [] }: Said): object[] {
  const half = text.length >> 1
  const pieces = calls.flatMap(({ name, arguments: args }, index) => [
    { tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } }] },
    { tool_calls: [{ index, function: { arguments: args } }] },
  ])
  const texts = text === '' ? [] : [{ content: text.slice(0, half) }, { content: text.slice(half) }]
  return [{ role: 'assistant', content: '' }, ...texts, ...pieces]
}

/** The word as OpenAI has it. */
export function plainFinish({ calls = [] }: Said): string {
  return calls.length > 0 ? 'tool_calls' : 'stop'
}

/** An error as OpenAI has it. */
export function plainError(message: string): string {
  return event({ error: { message, type: 'invalid_request_error', code: 400 } })
}

export function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

/** Answers what `said` says in a dialect; `cut` breaks off after the first pieces, `error` says why. */
export function answerIn(
  dialect: Dialect,
  said: Said,
  { cut = false, error }: { cut?: boolean; error?: string } = {},
): Answer {
  return (asked) => {
    const refused = dialect.refuses?.find((field) => field in asked.body)
    if (refused)
      return asked.refuse(400, {
        error: { message: `Unsupported parameter: '${refused}' is not supported`, param: refused },
      })
    if (error === undefined) return stream(dialect, said, asked, cut)
    asked.response.writeHead(200, { 'content-type': 'text/event-stream' })
    asked.response.end(dialect.toError(error))
  }
}

function stream(dialect: Dialect, said: Said, asked: Asked, cut: boolean): void {
  const n = dialect.ignoresN ? 1 : (asked.body.n ?? 1)
  const word = dialect.finish(said)
  for (let index = 0; index < n; index++) {
    const deltas = dialect.toDeltas(said)
    const each = dialect.finishesEachPiece ? word : null
    for (const delta of cut ? deltas.slice(0, 2) : deltas) {
      asked.send({ choices: [{ index, delta, finish_reason: each }] })
    }
    if (!cut) asked.send({ choices: [{ index, delta: {}, finish_reason: word }] })
  }
  if (cut) return void setTimeout(() => asked.response.destroy(), 10)
  asked.send({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 3 * n } })
  asked.done()
}
