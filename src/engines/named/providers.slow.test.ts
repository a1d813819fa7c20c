/**
 * The official providers of the AI SDK, from npm, against loopback servers that refuse what those services refuse. The
 * packages are installed into a folder of their own, where the command runs.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-providers-'))

beforeAll(async () => {
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const packages = ['anthropic', 'openai', 'google', 'mistral'].map((name) => `@ai-sdk/${name}`)
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder })
}, 300_000)

type Body = Record<string, unknown>
interface Service {
  /** What the config says besides the address. */
  entry: string
  /** Why the service refuses a request, if it does. */
  refuse(body: Body, headers: IncomingHttpHeaders, url: string): string | undefined
  /** Sends a streamed answer. */
  answer(response: ServerResponse): void
}

const sse = (response: ServerResponse, events: object[], isNamed = false) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of events) {
    const { type } = event as { type?: string }
    response.write(`${isNamed ? `event: ${type}\n` : ''}data: ${JSON.stringify(event)}\n\n`)
  }
}
const known = (body: Body, fields: string) =>
  Object.keys(body)
    .filter((field) => !fields.split(' ').includes(field))
    .map((field) => `${field}: Extra inputs are not permitted`)[0]
type Turn = { role: string; content: unknown }
const isBlank = (content: unknown): boolean =>
  typeof content === 'string'
    ? content.trim() === ''
    : Array.isArray(content) && content.some(({ text }) => typeof text === 'string' && text.trim() === '')

const TEXT = 'The Rhine.'

const services: Record<string, Service> = {
  anthropic: {
    entry: "provider: 'anthropic', model: 'claude-sonnet-4-5'",
    refuse(body, headers, url) {
      if (url !== '/v1/messages') return `no ${url}`
      if (headers['x-api-key'] !== 'the-key-of-service' || !headers['anthropic-version'])
        return 'key or version'
      const messages = body.messages as Turn[]
      if (body.temperature !== undefined && body.top_p !== undefined)
        return '`temperature` and `top_p` cannot both be specified for this model'
      if (isBlank(body.system)) return 'system: text content blocks must contain non-whitespace text'
      if (messages.some(({ role, content }) => role === 'system' || isBlank(content)))
        return 'messages: blank'
      if (!Number.isInteger(body.max_tokens)) return 'max_tokens: Field required'
      return known(body, 'model messages system max_tokens temperature top_p top_k stream stop_sequences')
    },
    answer(response) {
      const usage = { input_tokens: 9, output_tokens: 1 }
      const message = { id: 'm', type: 'message', role: 'assistant', model: 'c', content: [], usage }
      const block = { index: 0 }
      sse(
        response,
        [
          { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } },
          { type: 'content_block_start', ...block, content_block: { type: 'text', text: '' } },
          { type: 'content_block_delta', ...block, delta: { type: 'text_delta', text: TEXT } },
          { type: 'content_block_stop', ...block },
          { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } },
          { type: 'message_stop' },
        ],
        true,
      )
      response.end()
    },
  },
  openai: {
    entry: '',
    refuse(body, headers, url) {
      if (url !== '/v1/responses') return `no ${url}`
      if (headers.authorization !== 'Bearer the-key-of-service') return 'key'
      const unsupported = ['temperature', 'top_p', 'seed'].find((field) => body[field] !== undefined)
      if (unsupported) return `Unsupported parameter: '${unsupported}' is not supported with this model.`
      return known(body, 'model input stream max_output_tokens include store reasoning text')
    },
    answer(response) {
      const item = { type: 'message', id: 'msg', status: 'completed', role: 'assistant', content: [] }
      const usage = { input_tokens: 9, output_tokens: 4, total_tokens: 13 }
      const about = { id: 'resp', object: 'response', created_at: 1, model: 'gpt-5-mini' }
      sse(response, [
        { type: 'response.created', response: about },
        { type: 'response.output_item.added', output_index: 0, item },
        {
          type: 'response.output_text.delta',
          item_id: 'msg',
          output_index: 0,
          content_index: 0,
          delta: TEXT,
        },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: { ...about, status: 'completed', usage } },
      ])
      response.end()
    },
  },
  google: {
    entry: "provider: 'google', model: 'gemini-2.5-flash'",
    refuse(body, headers, url) {
      if (!url.startsWith('/v1/models/gemini-2.5-flash:streamGenerateContent')) return `no ${url}`
      if (headers['x-goog-api-key'] !== 'the-key-of-service') return 'API key not valid'
      const contents = body.contents as { role: string; parts: { text?: string }[] }[]
      if (contents.some(({ role }) => role !== 'user' && role !== 'model')) return 'Please use a valid role'
      if (contents.some(({ parts }) => parts.some(({ text }) => text === ''))) return 'contents: empty text'
      return known(body, 'contents systemInstruction generationConfig tools toolConfig safetySettings')
    },
    answer(response) {
      const content = { role: 'model', parts: [{ text: TEXT }] }
      const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 4, totalTokenCount: 13 }
      sse(response, [{ candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata }])
      response.end()
    },
  },
  mistral: {
    entry: "provider: 'mistral', model: 'mistral-small-latest'",
    refuse(body, headers, url) {
      if (url !== '/v1/chat/completions') return `no ${url}`
      if (headers.authorization !== 'Bearer the-key-of-service') return 'Unauthorized'
      const messages = body.messages as Turn[]
      if (!['user', 'tool'].includes(messages.at(-1)?.role ?? '')) return 'Expected last role User or Tool'
      const fields = 'model messages stream temperature top_p max_tokens random_seed stop tools tool_choice'
      return known(body, `${fields} response_format safe_prompt n`)
    },
    answer(response) {
      const choose = (delta: object, finish_reason: string | null = null) => ({
        id: 'c',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'mistral-small-latest',
        choices: [{ index: 0, delta, finish_reason }],
      })
      const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
      sse(response, [
        choose({ role: 'assistant', content: TEXT }),
        { ...choose({ content: '' }, 'stop'), usage },
      ])
      response.end('data: [DONE]\n\n')
    },
  },
}

/** A config with the provider: by name, or, for OpenAI's, as a model of the AI SDK. */
function configOf(name: string, { entry }: Service, baseURL: string): string {
  const settings = `baseURL: '${baseURL}'`
  const provider = `import { createOpenAI } from '@ai-sdk/openai'
export default { engines: { it: createOpenAI({ ${settings}, apiKey: process.env.SERVICE_KEY })('gpt-5-mini') } }`
  if (name === 'openai') return provider
  return `export default { engines: { it: { ${entry}, ${settings}, apiKeyEnv: 'SERVICE_KEY', maxRetries: 0 } } }`
}

test.each(Object.entries(services))(
  '%s answers at the first try',
  async (name, service) => {
    const refused: string[] = []
    let answered = 0
    const server = createServer(async (request, response) => {
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece)
      const body = JSON.parse(Buffer.concat(pieces).toString())
      const problem = service.refuse(body, request.headers, request.url ?? '')
      if (problem === undefined) {
        answered++
        return service.answer(response)
      }
      refused.push(problem)
      const error = { type: 'error', error: { type: 'invalid_request_error', message: problem } }
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error))
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
    writeFileSync(join(folder, 'aft.config.mjs'), configOf(name, service, baseURL))
    const options = { cwd: folder, env: { SERVICE_KEY: 'the-key-of-service' } }
    const { stdout, stderr } = await aft(['ask', 'Name a river.', '--model', 'it', '--depth', '1'], options)
    server.close()
    expect({ refused, stdout, stderr }).toMatchObject({ refused: [], stdout: `${TEXT}\n` })
    expect(answered).toBe(4)
  },
  60_000,
)
