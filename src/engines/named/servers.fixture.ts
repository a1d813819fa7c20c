/** Loopback servers with the lists of models and the streams of Ollama and LM Studio. For tests. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a server lists, and how it writes. */
export interface Kind {
  models: object
  /** Says whether this model is here, as the server does. */
  unknown(model: string): { status: number; body: object }
  /** A chunk of a stream, without `choices`. */
  chunk: object
}

/** As Ollama 0.12 answers. */
export const ollama: Kind = {
  models: {
    object: 'list',
    data: [
      { id: 'llama3.2:latest', object: 'model', created: 1757000000, owned_by: 'library' },
      { id: 'qwen3:4b', object: 'model', created: 1757000001, owned_by: 'library' },
    ],
  },
  unknown: (model) => ({
    status: 404,
    body: {
      error: {
        message: `model "${model}" not found, try pulling it first`,
        type: 'api_error',
        param: null,
        code: null,
      },
    },
  }),
  chunk: {
    id: 'chatcmpl-554',
    object: 'chat.completion.chunk',
    created: 1757000002,
    model: 'llama3.2',
    system_fingerprint: 'fp_ollama',
  },
}

/** As LM Studio 0.3 answers. */
export const lmStudio: Kind = {
  models: {
    data: [{ id: 'qwen/qwen3-4b', object: 'model', owned_by: 'organization_owner' }],
    object: 'list',
  },
  unknown: (model) => ({
    status: 400,
    body: { error: { message: `Invalid model identifier "${model}".`, code: 'model_not_found' } },
  }),
  chunk: {
    id: 'chatcmpl-hx3',
    object: 'chat.completion.chunk',
    created: 1757000003,
    model: 'qwen/qwen3-4b',
    system_fingerprint: 'qwen/qwen3-4b',
  },
}

/** A request as it came. */
export interface Came {
  path: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

/** Starts a server that answers every question with `text`, one choice per request, whatever `n` says. */
export async function startKind(kind: Kind, text: string) {
  const came: Came[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.method === 'GET') return json(200, kind.models)
    const body = JSON.parse(Buffer.concat(pieces).toString())
    came.push({ path: request.url ?? '', headers: request.headers, body })
    const names = (kind.models as { data: { id: string }[] }).data.map(({ id }) => id)
    if (!names.includes(body.model) && !names.includes(`${body.model}:latest`)) {
      const { status, body: error } = kind.unknown(body.model)
      return json(status, error)
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const choose = (delta: object, finish_reason: string | null = null) =>
      ({ ...kind.chunk, choices: [{ index: 0, delta, finish_reason }] }) as object
    const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }
    for (const chunk of [
      choose({ role: 'assistant', content: text }),
      choose({ content: '' }, 'stop'),
      { ...kind.chunk, choices: [], usage },
    ])
      response.write(`data: ${JSON.stringify(chunk)}\n\n`)
    response.end('data: [DONE]\n\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, came, close: () => new Promise((resolve) => server.close(resolve)) }
}
