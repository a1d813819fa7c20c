/** Tests the package as users get it: packed, installed into an empty folder, used on Node 22. */
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
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
/** Packing swaps the package.json for a while: it is done in a copy, as other tests run the checkout meanwhile. */
const copy = path.join(folder, 'checkout')
const tarball = path.join(folder, `aft-${own.version}.tgz`)
let names: string[]

/** Runs a command in the project, on Node 22, and returns exit code and output. */
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
const npm = (args: string[], cwd = project) =>
  succeed(
    'npm',
    [...args, '--no-fund', '--no-audit', '--prefer-offline'],
    cwd,
    path.join(checkout, 'node_modules/.bin'),
  )
const write = (name: string, text: string) => writeFileSync(path.join(project, name), text)
const manifest = (at: string) => JSON.parse(readFileSync(path.join(at, 'package.json'), 'utf8'))

beforeAll(async () => {
  for (const place of [project, tools]) {
    mkdirSync(place)
    writeFileSync(path.join(place, 'package.json'), '{ "type": "module" }')
  }
  const left = ['node_modules', '.git', 'dist', '.cache'].map((name) => path.join(checkout, name))
  cpSync(checkout, copy, { recursive: true, filter: (file) => !left.includes(file) })
  symlinkSync(realpathSync(path.join(checkout, 'node_modules')), path.join(copy, 'node_modules'))
  await npm(['pack', '--pack-destination', folder], copy)
  await npm(['install', 'node@22'], tools)
  await npm(['install', tarball])
  const entries = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  names = entries.map((entry) => path.posix.join(path.relative(installed, entry.parentPath), entry.name))
}, 600_000)

test('packing does not change the package.json of the checkout', () => {
  expect(manifest(copy)).toEqual(own)
})

test('at most 35 packages and 35 MB are installed, and nothing runs at install', async () => {
  const packages = (await npm(['ls', '--all', '--parseable'])).trim().split('\n').slice(1)
  const size = await succeed('du', ['-sm', path.join(project, 'node_modules')])
  console.log(`${packages.length} packages, ${size.split('\t')[0]} MB`)
  expect(packages.length).toBeLessThanOrEqual(35)
  expect(Number(size.split('\t')[0])).toBeLessThanOrEqual(35) // 10 of them are the trained model
  for (const place of packages) {
    const scripts = Object.keys(manifest(place).scripts ?? {})
    expect([place, scripts.filter((name) => /^(pre|post)?install$/.test(name))]).toEqual([place, []])
  }
})

test('the published package.json has no scripts and no development dependencies, and names compiled files', () => {
  const published = manifest(installed)
  expect(Object.keys(published)).toEqual(
    Object.keys(own).filter((field) => !['scripts', 'devDependencies', 'allowScripts'].includes(field)),
  )
  for (const target of Object.values<{ types: string; default: string } | string>(published.exports)) {
    const files = typeof target === 'string' ? [target] : [target.types, target.default]
    for (const file of files) expect(existsSync(path.join(installed, file)), file).toBe(true)
  }
  for (const range of Object.values(published.dependencies)) expect(range).toMatch(/^\^/)
})

test('the tarball holds compiled files, the launcher, three texts, models and what training needs: no sources, no tests', () => {
  const texts = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin/aft.js', 'package.json']
  const training =
    /^(recipes\/[\w./-]+\.(yaml|json|jinja)|trainer\/\w+\.(py|txt)|models\/[\w./-]+\.(gguf|json|md))$/
  expect(names).toEqual(expect.arrayContaining(['trainer/train.py', 'recipes/templates/llama-3.jinja']))
  expect(names.filter((name) => !name.startsWith('dist/') && !training.test(name)).sort()).toEqual(texts)
  expect(
    names.filter(
      (name) =>
        /test|vitest|contract|fixture/.test(name) ||
        (!training.test(name) &&
          !/\.(js|d\.ts|md|json)$|LICENSE|fingerprints\.bin$|web\/(index\.html|export\.html|app\.css|icon\.svg|demo(-single)?\.jsonl|licen[cs]es\.txt)$/.test(
            name,
          )),
    ),
  ).toEqual([])
  expect(names).toContain('dist/index.d.ts')
  expect(names).not.toContain('dist/apps/cli/main.d.ts') // no program can import it
  const models = names.filter((name) => name.endsWith('.gguf')) // they do not compress
  const ofModels = models.reduce((sum, name) => sum + statSync(path.join(installed, name)).size, 0)
  expect(statSync(tarball).size - ofModels).toBeLessThan(1_800_000) // of which 742 kB are fingerprints of test sets, which do not compress, and 300 kB the page that is exported
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
  const allowed = [own.name, ...Object.keys(own.dependencies), ...Object.keys(own.peerDependencies)]
  expect([...new Set(bare)].filter((name) => !allowed.includes(name))).toEqual([])
})

test('a command that needs an optional package asks for it by name', async () => {
  write('rows.parquet', '')
  for (const [args, command] of [
    [['report', '.', '-o', 'page.html'], 'npm install vega vega-lite'],
    [['data', 'build', 'rows.parquet', '-o', 'data'], 'npm install vega vega-lite'],
    [['ask', '--max-tokens', '4', 'Why?'], 'npm install node-llama-cpp'],
  ] as const) {
    const { code, stderr } = await run('npx', ['aft', ...args])
    expect([args, code]).toEqual([args, 2])
    expect(stderr).toContain(command)
    expect(stderr).not.toMatch(/\n\s+at /)
  }
})

test('Parquet asks for its packages when a file of it is read', async () => {
  const reader = path.join(installed, 'dist/files/rows/read-records.js')
  write(
    'read.js',
    `import { readRecords } from ${JSON.stringify(reader)}\nfor await (const _ of readRecords(['rows.parquet'])) {}`,
  )
  const { stderr } = await run('node', ['read.js'])
  expect(stderr).toContain(
    'reading Parquet needs the packages hyparquet and hyparquet-compressors: npm install',
  )
})

test('the command line answers; a config imports the package', async () => {
  const { code, stdout, stderr } = await run('npx', [
    'aft',
    'ask',
    '--no-progress',
    '--model',
    'scripted:echo',
    'Why?',
  ])
  expect([code, stderr.replace(/^npm warn .*\n/gm, '')]).toEqual([0, ''])
  expect(stdout).toMatch(/^Reply [^\n]+\n$/)
  expect(await succeed('npx', ['aft', '--version'])).toBe(`${own.version}\n`)
  const empty = mkdtempSync(path.join(tmpdir(), 'aft-empty-'))
  writeFileSync(
    path.join(empty, 'aft.config.ts'),
    `import { defineConfig, scriptedEngine } from 'aft'
    export default defineConfig({ engines: { own: () => scriptedEngine([{ replies: ['mine'] }]) } })`,
  )
  const launcher = path.join(installed, 'bin/aft.js')
  expect(await succeed('node', [launcher, 'ask', '--model', 'own', 'Why?'], empty)).toBe('mine\n')
})

test('the library runs in a worker thread as in the main thread', async () => {
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
  expect(await succeed('node', ['ask.js'])).toMatch(/^true v22 \d Reply /)
})

describe('programs in a strict project', () => {
  beforeAll(async () => {
    const { typescript, '@types/node': types, ai } = own.devDependencies
    await npm(['install', `typescript@${typescript}`, `@types/node@${types}`, `ai@${ai}`, 'hono'])
    await npm(['install', '@hono/node-server', 'express@5', '@types/express@5'])
    cpSync(path.join(import.meta.dirname, 'programs'), path.join(project, 'programs'), { recursive: true })
  }, 300_000)

  test.each([
    ['nodenext', 'nodenext', { skipLibCheck: false }],
    ['esnext', 'bundler', { skipLibCheck: true, exactOptionalPropertyTypes: true }], // the AI SDK's own types break this rule
  ])('they compile with module %s and resolution %s', async (module, moduleResolution, more) => {
    const compilerOptions = {
      strict: true,
      target: 'es2024',
      module,
      moduleResolution,
      types: ['node'],
      noEmit: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      ...more,
    }
    write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['programs'] }))
    await succeed('npx', ['tsc', '-p', '.'])
  })

  const mounted = ['mine', 'page/icon.svg 200', 'page/app.css 200', 'page/app.js 200', 'one\n'].join('\n')
  test.each([
    ['answer', /^2 3 \+ 1\nReply .+\nthere is no option `widht`; did you mean `width`\?\n$/],
    ['stream', 'layer 1\nlayer 2\nBoth.\n'],
    ['own-engine', 'WHY IS THE SKY BLUE?\n'],
    ['ai-sdk', 'Both. false\nBoth.\n'],
    ['mount-hono', mounted],
    ['mount-express', mounted],
  ])('%s runs', async (name, output) => {
    const stdout = await succeed('node', [`programs/${name}.ts`])
    if (typeof output === 'string') expect(stdout).toBe(output)
    else expect(stdout).toMatch(output)
  })
})

test('it answers with an embedded model after the command that it names has run', async () => {
  const { 'node-llama-cpp': version } = own.devDependencies
  await npm(['install', `node-llama-cpp@${version}`])
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
