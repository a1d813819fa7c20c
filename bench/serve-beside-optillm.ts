/**
 * `aft serve` compared with optillm's `moa`, in front of the same llama-server with the same model and token limit: when the
 * first piece of the answer comes, and when the last. Both take three proposals and one final call; optillm writes a
 * critique in between, of at most 512 tokens, and sends the whole answer as one piece at its end.
 *
 *   npm run bench -- serve-beside-optillm
 *   npm run bench -- serve-beside-optillm --upstream embedded    where llama-server's build does not run: `aft serve`
 *                                                                with the embedded model stands in its place
 */

import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { resolveModel } from '../src/engines/models/models.ts'
import { startLlamaServer } from '../test/peers/llama-server.ts'
import { installPython } from '../test/peers/python.ts'
import { startProgram } from './processes.ts'
import { printTable, saveResults, showSpread, spreadOf } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    'max-tokens': { type: 'string', default: '128' },
    questions: { type: 'string', default: '5' },
    upstream: { type: 'string', default: 'llama-server' },
  },
})
const maxTokens = Number(flags['max-tokens'])
const questions = [
  'Why is the sky blue?',
  'Name three rivers of Europe and one fact about each.',
  'How does a refrigerator cool its inside?',
  'Write a short note that asks a neighbour to water my plants.',
  'What should I consider when I buy a used bicycle?',
].slice(0, Number(flags.questions))

const optillm = {
  packages: [
    'cerebras_cloud_sdk==1.91.0',
    'openai==3.57.0',
    'aiohttp==3.14.5',
    'Flask==3.1.3',
    'azure-identity==1.27.0',
    'requests==2.34.2',
    'numpy==2.4.6',
    'networkx==3.6.1',
    'z3-solver==4.15.4.0',
    'litellm==1.110.2',
    'tiktoken==0.14.0',
    'math-verify==0.9.0',
    'PyYAML==6.0.4',
  ],
  // Its other methods want torch and more; `moa` does not.
  alone: ['optillm==0.4.0'],
}

interface Asked {
  firstMs: number
  endMs: number
  /** Characters of the answer. */
  chars: number
}

async function ask(url: string, body: object): Promise<Asked> {
  const startMs = performance.now()
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body: JSON.stringify({ ...body, stream: true }),
  })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  let [firstMs, answer, text] = [0, '', '']
  for await (const piece of (response.body as ReadableStream<Uint8Array>).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += piece
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
      const line = text.slice(0, at)
      text = text.slice(at + 1)
      if (!line.startsWith('data: {')) continue
      const chunk = JSON.parse(line.slice(6))
      if (chunk.error) throw new Error(JSON.stringify(chunk.error))
      const content = chunk.choices[0]?.delta?.content ?? ''
      if (content && firstMs === 0) firstMs = performance.now() - startMs
      answer += content
    }
  }
  return { firstMs, endMs: performance.now() - startMs, chars: answer.length }
}

async function startOptillm(baseURL: string) {
  const python = installPython(optillm.packages, optillm.alone)
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
  const args = ['--base-url', baseURL, '--port', `${port}`, '--log', 'error']
  const child = spawn(python, ['-c', 'from optillm import main; main()', ...args], {
    env: { ...process.env, OPENAI_API_KEY: 'none', OPTILLM_API_KEY: '' },
    stdio: 'ignore',
  })
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 300; tries++) {
    if (
      await fetch(`${url}/health`).then(
        (r) => r.ok,
        () => false,
      )
    )
      break
    if (child.exitCode !== null) throw new Error('optillm ended at its start')
    await wait(200)
  }
  return { url: `${url}/v1`, close: () => child.kill('SIGKILL') }
}

/** The server that both ask, and its name for the model. */
async function startUpstream() {
  if (flags.upstream === 'embedded') {
    const { line, close } = await startProgram(['bin/aft.js', 'serve', '--model', 'smollm2', '--port', '0'])
    return { url: `${line}/v1`, model: 'single', close: async () => close() }
  }
  const { file } = await resolveModel('smollm2')
  return { ...(await startLlamaServer({ model: file, slots: 4, contextTokens: 16_384 })), model: 'smollm2' }
}

const upstream = await startUpstream()
const peer = await startOptillm(upstream.url)
const serve = ['bin/aft.js', 'serve', '--model', `${upstream.url}#${upstream.model}`, '--port', '0']
const aft = await startProgram(serve)
const own: Asked[] = []
const peers: Asked[] = []
try {
  for (const [i, content] of ['Say hello.', ...questions].entries()) {
    const body = { messages: [{ role: 'user', content }], max_tokens: i === 0 ? 8 : maxTokens }
    const a = () => ask(`${aft.line}/v1`, { ...body, model: 'aft', aft: { width: 3, depth: 1 } })
    const b = () => ask(peer.url, { ...body, model: `moa-${upstream.model}` })
    // They take turns in going first, so that neither always finds the other's prompt in the server's memory.
    const order = i % 2 === 0 ? [a, b] : [b, a]
    const came = new Map<() => Promise<Asked>, Asked>()
    for (const side of order) came.set(side, await side())
    if (i === 0) continue // compiles, and fills caches
    own.push(came.get(a) as Asked)
    peers.push(came.get(b) as Asked)
  }
} finally {
  peer.close()
  aft.close()
  await upstream.close()
}

const seconds = (of: (asked: Asked) => number, all: Asked[]) => all.map((asked) => of(asked) / 1_000)
const ratios = (of: (asked: Asked) => number) => own.map((asked, i) => of(asked) / of(peers[i] as Asked))
const first = ({ firstMs }: Asked) => firstMs
const end = ({ endMs }: Asked) => endMs
printTable(
  ['', 'first token s', 'end s', 'characters'],
  [
    [
      'aft serve, width 3, depth 1',
      showSpread(seconds(first, own)),
      showSpread(seconds(end, own)),
      showSpread(
        own.map((a) => a.chars),
        0,
      ),
    ],
    [
      'optillm moa',
      showSpread(seconds(first, peers)),
      showSpread(seconds(end, peers)),
      showSpread(
        peers.map((a) => a.chars),
        0,
      ),
    ],
    ['ratio', showSpread(ratios(first)), showSpread(ratios(end)), ''],
  ],
)
saveResults(
  'serve-beside-optillm',
  `npm run bench -- serve-beside-optillm --max-tokens ${maxTokens} --questions ${own.length} --upstream ${flags.upstream}`,
  {
    maxTokens,
    upstream: flags.upstream,
    own,
    peers,
    ratio: { first: spreadOf(ratios(first)), end: spreadOf(ratios(end)) },
  },
)
