import { execFile } from 'node:child_process'
import dns from 'node:dns'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ConnectionError, fromFetch, type Posted, postHTTP, type Reply } from './http-post.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A server, and the sockets of its requests in order. */
async function serve(listener: RequestListener) {
  const sockets: Socket[] = []
  const server = createServer((request, response) => {
    sockets.push(request.socket)
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, sockets }
}

const toPosted = (more: Partial<Posted> = {}): Posted => {
  return { headers: {}, body: '{}', signal: new AbortController().signal, ...more }
}

const clients: [string, (url: string, posted: Posted) => Promise<Reply>][] = [
  ['postHTTP', postHTTP],
  ['fetch', async (url, posted) => fromFetch(await fetch(url, { method: 'POST', ...posted }))],
]

async function readAll(reply: Reply): Promise<string[]> {
  const pieces: string[] = []
  await reply.read((piece) => {
    pieces.push(String(Buffer.from(piece)))
    return false
  })
  return pieces
}

describe.each(clients)('%s', (_, post) => {
  test('the body comes in the pieces that the server sends, after status and headers', async () => {
    let goOn = () => {}
    const { url } = await serve(async (request, response) => {
      response.writeHead(201, { 'X-Own': 'yes' }).write(`${request.method} one`)
      await new Promise<void>((resolve) => (goOn = resolve))
      response.end('two')
    })
    const reply = await post(url, toPosted())
    expect([reply.status, reply.headers.get('x-own'), reply.headers.get('X-other')]).toEqual([
      201,
      'yes',
      null,
    ])
    const pieces: string[] = []
    await reply.read((piece) => {
      pieces.push(String(Buffer.from(piece)))
      goOn()
      return false
    })
    expect(pieces).toEqual(['POST one', 'two'])
  })

  test('pieces that are kept stay as they came, and so does a body that is read in gulps', async () => {
    const words = Array.from({ length: 50 }, (_, i) => `word ${i}. `.repeat(100))
    const { url } = await serve(async (_, response) => {
      for (const word of words) await new Promise((resolve) => response.write(word, resolve))
      response.end()
    })
    for (const isPatient of [false, true]) {
      const reply = await post(url, toPosted())
      const pieces: Uint8Array[] = []
      await reply.read((piece) => pieces.push(piece) < 0, { isPatient })
      expect(Buffer.concat(pieces).toString()).toBe(words.join(''))
    }
  })

  test('what comes after the last piece that is wanted is dropped, and the connection used again', async () => {
    const { url, sockets } = await serve((_, response) => {
      response.write('wanted')
      setTimeout(() => response.end('the rest'), 30)
    })
    for (let i = 0; i < 2; i++) {
      await (await post(url, toPosted())).read(() => true)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(new Set(sockets).size).toBe(1)
  })

  test('a rest that does not end closes the connection', async () => {
    let closed: Promise<unknown> = Promise.resolve()
    const { url } = await serve((_, response) => {
      closed = new Promise((resolve) => response.once('close', resolve))
      response.write('wanted')
    })
    await (await post(url, toPosted())).read(() => true)
    await closed
  })

  test('an error of the reader reaches the caller, and closes the connection', async () => {
    let closed: Promise<unknown> = Promise.resolve()
    const { url } = await serve((_, response) => {
      closed = new Promise((resolve) => response.once('close', resolve))
      response.write('x')
    })
    const own = new Error('own')
    const reply = await post(url, toPosted())
    await expect(
      reply.read(() => {
        throw own
      }),
    ).rejects.toBe(own)
    await closed
  })

  test('a connection that breaks is a ConnectionError', async () => {
    const { url } = await serve((_, response) => response.write('x', () => response.destroy()))
    await expect(readAll(await post(url, toPosted()))).rejects.toThrow(ConnectionError)
  })

  test.each([
    ['gzip', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ['br', zlib.brotliCompressSync],
  ])('a body in %s is unpacked', async (encoding, pack) => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(pack('plain')),
    )
    expect((await readAll(await post(url, toPosted()))).join('')).toBe('plain')
  })
})

test('a stream in gzip is unpacked as it comes', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' })
    const gzip = zlib.createGzip()
    gzip.pipe(response)
    gzip.write('first')
    gzip.flush()
  })
  let first = ''
  const reply = await postHTTP(url, toPosted())
  await reply.read((piece) => {
    first += Buffer.from(piece)
    return first === 'first'
  })
})

test('a redirect is a reply like any other', async () => {
  const { url } = await serve((_, response) => response.writeHead(307, { location: '/x' }).end())
  expect((await postHTTP(url, toPosted())).status).toBe(307)
})

test('an abort closes the connection, before the response and after', async () => {
  const seen: Promise<unknown>[] = []
  const { url } = await serve((_, response) => {
    seen.push(new Promise((resolve) => response.once('close', resolve)))
    if (seen.length === 2) response.write('x')
  })
  for (const isLate of [false, true]) {
    const controller = new AbortController()
    const reply = postHTTP(url, toPosted({ signal: controller.signal }))
    const work = isLate ? reply.then(readAll) : reply
    setTimeout(() => controller.abort(new Error('left')), 50)
    await expect(work).rejects.toThrow(ConnectionError)
    await seen.at(-1)
  }
  await expect(postHTTP(url, toPosted({ signal: AbortSignal.abort() }))).rejects.toThrow()
  expect(seen).toHaveLength(2)
})

test('a connection that the server drops when it is used again is replaced; a new one is not', async () => {
  let requests = 0
  const { url, sockets } = await serve((request, response) => {
    if (++requests === 2 || requests > 3) request.socket.destroy()
    else response.end(`answer ${requests}`)
  })
  expect(await readAll(await postHTTP(url, toPosted()))).toEqual(['answer 1'])
  await new Promise(setImmediate) // the connection is free now
  expect(await readAll(await postHTTP(url, toPosted()))).toEqual(['answer 3'])
  expect([sockets[1] === sockets[0], sockets[2] === sockets[0]]).toEqual([true, false])
  await expect(postHTTP(url.replace('127.0.0.1', 'localhost'), toPosted())).rejects.toThrow(ConnectionError)
  expect(requests).toBe(4)
})

test('an abort with a text as its reason fails the request', async () => {
  const { url } = await serve(() => {})
  const caller = new AbortController()
  const reply = postHTTP(url, toPosted({ signal: caller.signal }))
  setTimeout(() => caller.abort('gone'), 50)
  await expect(reply).rejects.toThrow(ConnectionError)
})

test('a refused connection says why', async () => {
  const error = await postHTTP('http://127.0.0.1:9/', toPosted()).catch((e: Error) => e)
  expect(error).toMatchObject({ cause: { code: 'ECONNREFUSED' } })
})

test('a connection that is not made in ten seconds fails', async () => {
  vi.useFakeTimers()
  vi.spyOn(dns, 'lookup').mockImplementation((() => {}) as never)
  const failed = postHTTP('http://silent.test/', toPosted()).catch((e: Error) => e)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await failed).toMatchObject({ cause: { code: 'CONNECT_TIMEOUT' } })
})

test('the proxy of the environment is used if Node was told to', async () => {
  const { url } = await serve((request, response) => void response.end(`proxied ${request.url}`))
  const program = `
    import { postHTTP } from ${JSON.stringify(new URL('http-post.ts', import.meta.url).href)}
    const reply = await postHTTP('http://far.test/v1', { headers: {}, body: '', signal: new AbortController().signal })
    await reply.read((piece) => console.log(String(piece)))`
  const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, NO_PROXY: '', no_proxy: '' }
  const args = ['--input-type=module', '-e', program]
  expect((await promisify(execFile)(process.execPath, args, { env })).stdout).toBe(
    'proxied http://far.test/v1\n',
  )
})
