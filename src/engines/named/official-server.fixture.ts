/** For tests: services on loopback, and the official packages to ask them with. */
import { createServer, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { AiSdkModel } from '../ai-sdk/ai-sdk.ts'
import { services } from './official.fixture.ts'
import { type Body, JSON_TEXT, KEY, type Said, type Service, TEXT } from './official-service.fixture.ts'

/** A service on loopback. */
export interface Started {
  baseURL: string
  /** The messages of its refusals, and the bodies that it answered. */
  refused: string[]
  answered: { body: Body; effort: unknown }[]
  close(): void
}

/** Starts a service. It calls the first tool that it is given, and thinks before it writes if it is asked to. */
export async function startService(service: Service): Promise<Started> {
  const refused: string[] = []
  const answered: Started['answered'] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const body = JSON.parse(Buffer.concat(pieces).toString())
    const url = request.url ?? ''
    const refusal = service.refuse(body, request.headers, url)
    if (refusal) {
      refused.push(JSON.stringify(refusal.body))
      const headers = { 'content-type': 'application/json' }
      return response.writeHead(refusal.status, headers).end(JSON.stringify(refusal.body))
    }
    const { tools, schema, effort } = service.read(body, url)
    answered.push({ body, effort })
    const isCalled =
      tools && !/tool_result|function_call_output|functionResponse|"role":"tool"/.test(JSON.stringify(body))
    const said: Said = isCalled
      ? { call: { name: 'look', arguments: '{"at":"sky"}' } }
      : { text: schema ? JSON_TEXT : TEXT, ...(effort !== undefined && { thought: 'Hm.' }) }
    send(response, service, service.events(said))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return { baseURL, refused, answered, close: () => server.close() }
}

function send(response: ServerResponse, { isNamed, isDone }: Service, events: object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of events) {
    const name = isNamed ? `event: ${(event as { type: string }).type}\n` : ''
    response.write(`${name}data: ${JSON.stringify(event)}\n\n`)
  }
  response.end(isDone ? 'data: [DONE]\n\n' : undefined)
}

/** A model of an official package that is installed in a folder. */
export function officialModel(folder: string, name: string, baseURL: string, model: string): AiSdkModel {
  const library = createRequire(join(folder, 'package.json'))(`@ai-sdk/${name}`)
  return library[(services[name] as Service).create]({ baseURL, apiKey: KEY })(model)
}
