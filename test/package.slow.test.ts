/** The package as others get it: packed, installed into an empty folder, used on Node 22. */
import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'

const checkout = path.join(import.meta.dirname, '..')
const own = JSON.parse(readFileSync(path.join(checkout, 'package.json'), 'utf8'))
const folder = mkdtempSync(path.join(tmpdir(), 'aft-package-'))
const project = path.join(folder, 'project')
const installed = path.join(project, 'node_modules/aft')
const tools = path.join(folder, 'tools')
const tarball = path.join(folder, `aft-${own.version}.tgz`)
let names: string[]

/** Runs a command in the project, on Node 22, and tells exit code and output. */
async function run(
  command: string,
  args: string[],
  cwd = project,
  nodeFolder = path.join(tools, 'node_modules/.bin'),
) {
  const env = { ...process.env, PATH: `${nodeFolder}${path.delimiter}${process.env.PATH}` }
  const done = promisify(execFile)(command, args, { cwd, env, maxBuffer: 1e8 })
  return done.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error) => ({
      code: error.code as number,
      stdout: error.stdout as string,
      stderr: error.stderr as string,
    }),
  )
}
const succeed = async (...args: Parameters<typeof run>) => {
  const result = await run(...args)
  if (result.code !== 0) throw new Error(`${args[0]} ${args[1].join(' ')}: ${result.stdout}${result.stderr}`)
  return result.stdout
}
const npm = (args: string[], cwd: string) =>
  succeed(
    'npm',
    [...args, '--no-fund', '--no-audit', '--prefer-offline'],
    cwd,
    path.join(checkout, 'node_modules/.bin'),
  )
const write = (name: string, text: string) => writeFileSync(path.join(project, name), text)

beforeAll(async () => {
  for (const place of [project, tools]) {
    mkdirSync(place)
    writeFileSync(
      path.join(place, 'package.json'),
      JSON.stringify({ type: 'module', overrides: own.overrides }),
    )
  }
  await npm(['pack', '--pack-destination', folder], checkout)
  await npm(['install', 'node@22'], tools)
  await npm(['install', tarball], project)
  const entries = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  names = entries.map((entry) => path.posix.join(path.relative(installed, entry.parentPath), entry.name))
}, 300_000)

test('the tarball holds compiled files, the launcher, three texts and what training needs: no sources, no tests', () => {
  const texts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin/aft.js', 'package.json']
  const training = /^(recipes\/[\w./-]+\.(yaml|json|jinja)|trainer\/\w+\.(py|txt))$/
  expect(names).toEqual(expect.arrayContaining(['trainer/train.py', 'recipes/templates/llama-3.jinja']))
  expect(names.filter((name) => !name.startsWith('dist/') && !training.test(name)).sort()).toEqual(texts)
  expect(
    names.filter(
      (name) =>
        /test|vitest|contract|fixture/.test(name) ||
        (!training.test(name) &&
          !/\.(js|d\.ts|md|json)$|LICENSE|fingerprints\.bin$|web\/(index\.html|app\.css|icon\.svg|licenses\.txt)$/.test(
            name,
          )),
    ),
  ).toEqual([])
  expect(names).toContain('dist/index.d.ts')
  expect(statSync(tarball).size).toBeLessThan(1_300_000) // of which 742 kB are fingerprints of test sets, which do not compress
})

test('no compiled file imports a development dependency', () => {
  const bare = names
    .filter((name) => /^dist\/.*\.js$/.test(name))
    .flatMap((name) => {
      const source = readFileSync(path.join(installed, name), 'utf8')
      return [...source.matchAll(/(?:\bfrom|\bimport)[\s(]*['"]([^.'"\s][^'"\s]*)['"]/g)].map(
        (m) => m[1] as string,
      )
    })
    .filter((name) => !name.startsWith('node:'))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
  const allowed = [...Object.keys(own.dependencies), ...Object.keys(own.peerDependencies)]
  expect([...new Set(bare)].filter((name) => !allowed.includes(name))).toEqual([])
})

describe('a plain project on Node 22', () => {
  test('type-checks against the package, as a module and through a bundler', async () => {
    write(
      'consumer.ts',
      `import { answer, type Engine, openEngine, type Result, scriptedEngine } from 'aft'
      const engine: Engine = scriptedEngine([{ replies: ['one', 'two'] }])
      const result: Result = await answer('Why?', { engine, width: 3 })
      export const texts: string[] = result.layers.flatMap((layer) => layer.completions.map((c) => c.text))
      export const open: Promise<Engine> = openEngine('smollm2')
      // @ts-expect-error a plan has no such option
      await answer('Why?', { engine, widht: 3 })`,
    )
    const flags = ['--noEmit', '--strict', '--target', 'es2024', '--types', 'node', '--typeRoots']
    const tsc = path.join(checkout, 'node_modules/.bin/tsc')
    const types = path.join(checkout, 'node_modules/@types')
    for (const module of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ] as const) {
      const [kind, resolution] = module
      await succeed(tsc, [...flags, types, '--module', kind, '--moduleResolution', resolution, 'consumer.ts'])
    }
  })

  test('runs the library, in the main thread and in a worker thread', async () => {
    write(
      'ask.js',
      `import { answer, openEngine } from 'aft'
      import { isMainThread, parentPort, Worker } from 'node:worker_threads'
      const engine = await openEngine('scripted:echo')
      const { answer: text, usage } = await answer('Why is the sky blue?', { engine })
      const line = process.version.split('.')[0] + ' ' + usage.calls + ' ' + text
      if (isMainThread) new Worker(new URL(import.meta.url)).on('message', (other) => console.log(line === other, line))
      else parentPort.postMessage(line)`,
    )
    expect(await succeed('node', ['ask.js'])).toMatch(/^true v22 3 Reply /)
  })

  test('makes a language model of the AI SDK, whose types fit the SDK', async () => {
    write(
      'provider.ts',
      `import type { LanguageModelV4 } from '@ai-sdk/provider'
      import { scriptedEngine } from 'aft'
      import { createAft } from 'aft/ai-sdk'
      const engine = scriptedEngine([{ replies: ['one', 'two'] }])
      const model: LanguageModelV4 = createAft({ engine, width: 2, depth: 1 })('aft')
      const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Why?' }] }]
      const { content, providerMetadata } = await model.doGenerate({ prompt })
      console.log(JSON.stringify(content), providerMetadata?.aft?.degraded)`,
    )
    const flags = ['--strict', '--target', 'es2024', '--types', 'node', '--module', 'nodenext', '--noEmit']
    const types = path.join(checkout, 'node_modules/@types')
    await succeed(path.join(checkout, 'node_modules/.bin/tsc'), [
      ...flags,
      '--typeRoots',
      types,
      'provider.ts',
    ])
    const stripped = readFileSync(path.join(project, 'provider.ts'), 'utf8').replace(
      /: LanguageModelV4 | as const/g,
      ' ',
    )
    write('provider.js', stripped.replace(/import type.*\n/, ''))
    expect(await succeed('node', ['provider.js'])).toMatch(
      /^\[\{"type":"text","text":"(one|two)"\}\] false\n$/,
    )
  })

  test('serves the page, built', async () => {
    write(
      'page.js',
      `import { scriptedEngine } from 'aft'
      import { createServer } from 'aft/server'
      const server = createServer({ engines: { one: scriptedEngine([{ replies: ['one'] }]) } })
      for (const path of ['/', '/page/app.js', '/page/app.css', '/page/icon.svg', '/page/licenses.txt']) {
        const response = await server.fetch(new Request('http://localhost' + path))
        console.log(response.status, path, (await response.text()).length > 200)
      }`,
    )
    const lines = ['/', '/page/app.js', '/page/app.css', '/page/icon.svg', '/page/licenses.txt'].map(
      (path) => `200 ${path} true\n`,
    )
    expect(await succeed('node', ['page.js'])).toBe(lines.join(''))
  })

  test('asks from the command line', async () => {
    const { code, stdout, stderr } = await run('npx', ['aft', 'ask', '--model', 'scripted:echo', 'Why?'])
    expect([code, stderr.replace(/^npm warn .*\n/gm, '')]).toEqual([0, ''])
    expect(stdout).toMatch(/^Reply [^\n]+\n$/)
    expect(await succeed('npx', ['aft', '--version'])).toBe(`${own.version}\n`)
  })

  test('is told the one command that an embedded model needs', async () => {
    const { code, stderr } = await run('npx', ['aft', 'ask', '--max-tokens', '4', 'Why?'])
    expect(code).not.toBe(0)
    expect(stderr).toContain('npm install node-llama-cpp')
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('answers with an embedded model once that command has run', async () => {
    const { 'node-llama-cpp': version } = own.devDependencies
    await npm(['install', `node-llama-cpp@${version}`], project)
    expect(existsSync(path.join(project, 'node_modules/@node-llama-cpp'))).toBe(true)
    const args = [
      'aft',
      'ask',
      '--width',
      '2',
      '--depth',
      '1',
      '--max-tokens',
      '16',
      '--json',
      'Why is the sky blue?',
    ]
    const result = JSON.parse(await succeed('npx', args))
    expect(result.answer.length).toBeGreaterThan(0)
    expect(result.layers.map((layer: { completions: [] }) => layer.completions.length)).toEqual([2, 1])
  })
})
