/** For the tests of the docs: runs the blocks of a page against loopback servers, in a folder of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { type Listening, listen } from '../src/apps/server/listen.ts'
import { createServer } from '../src/apps/server/server.ts'
import { checkConfig } from '../src/engines/config-schema.ts'
import { echo, scriptedEngine } from '../src/engines/scripted/scripted.ts'
import { readRecipe } from '../src/train/recipe-file.ts'
import { type ChatServer, startChatServer } from './chat-server.ts'
import type { Block } from './docs-page.ts'

/** The project's folder. */
export const root = path.join(import.meta.dirname, '..')
/** Reads a file of the project. */
export const read = (page: string) => readFileSync(path.join(root, page), 'utf8')
/** The pages with blocks. */
export const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: root }).sort()].filter(
  (page) => existsSync(path.join(root, page)),
)

/** Whether a command runs elsewhere: by .ci/run in a fresh clone, or by hand. */
export const isElsewhere = (command: string) =>
  /^npm (ci|start|test|run|pack|install)\b|^(runs\/\w+\.sh|git|npx vitest|node bench\/)/.test(command)

/** The first line of a block that says what it does. */
export const titleOf = ({ code }: Block) =>
  code.split('\n').find((line) => !/^import|^$|^(#|\/\/) /.test(line))

/** Whether a program opens the embedded model, which takes seconds. */
export const opensModel = ({ language, code }: Block) => language === 'ts' && code.includes('smollm2')

let scratch: string
let server: ChatServer
/** Answers if the page has not started `aft serve` itself. */
let own: Listening
let served: string | undefined
let background: ChildProcess[] = []

/** Starts the servers that the blocks ask, for the tests of a file. Each page has its folder in this one. */
export function useDocs(folder: string): void {
  beforeAll(async () => {
    scratch = folder
    rmSync(scratch, { recursive: true, force: true })
    server = await startChatServer(scriptedEngine(echo))
    own = await listen(createServer({ engines: { echo: scriptedEngine(echo) } }), {
      host: '127.0.0.1',
      port: 0,
    })
  })
  afterAll(async () => {
    await own.close(0)
    for (const { pid, exitCode } of background) if (exitCode === null) process.kill(-(pid as number))
    background = []
    await server.close()
  })
}

/** Makes the folder of a page, with the files that its lines read. */
export function openPage(page: string): string {
  served = undefined
  const folder = path.join(scratch, path.basename(page, '.md'))
  mkdirSync(folder, { recursive: true })
  for (const file of ['prompts.jsonl', 'annotations.json']) {
    copyFileSync(path.join(root, 'examples', file), path.join(folder, file))
  }
  return folder
}

/** A page's code as it runs here: with addresses of this test, and without the detour over npx. */
function adapt(code: string): string {
  return code
    .replaceAll(/http:\/\/127\.0\.0\.1:(8000|11434)\/v1/g, server.baseURL)
    .replaceAll('http://127.0.0.1:8080', served ?? own.url)
    .replace('--port 8080', '--port 0')
    .replaceAll('npx aft', `"${process.execPath}" "${path.join(root, 'bin/aft.js')}"`)
}

function inPage(folder: string) {
  const env = {
    ...process.env,
    PATH: `${path.join(root, 'node_modules/.bin')}${path.delimiter}${process.env.PATH}`,
    OPENAI_API_KEY: 'a-key',
    OPENAI_BASE_URL: server.baseURL,
    OLLAMA_HOST: server.baseURL,
  }
  const options = { cwd: folder, env }
  return {
    run: (command: string, args: string[]) => promisify(execFile)(command, args, options),
    /** `aft serve` runs on while the lines after it run. */
    async start(line: string): Promise<string> {
      const child = spawn('bash', ['-c', line], {
        ...options,
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      background.push(child)
      for await (const chunk of child.stdout) return /http:\S+/.exec(String(chunk))?.[0] ?? ''
      throw new Error(`${line} ended`)
    },
  }
}

/** Runs a line of a shell block. */
export async function runCommand(command: string, folder: string): Promise<void> {
  const writesFile = /^(echo '[^']*'|npx aft .*|cat [\w. -]+) > [\w.]+$/.test(command)
  if (!writesFile) expect(command).toMatch(/^(\w+=\S+ )*((echo "[^"]*"|printf '[^']*') \| )?(npx aft|curl) /)
  const { run, start } = inPage(folder)
  if (/npx aft serve/.test(command)) {
    served = await start(adapt(command))
    return expect(served).toMatch(/^http:/)
  }
  const { stdout, stderr } = await run('bash', ['-c', `exec </dev/null; ${adapt(command)}`])
  if (!writesFile) expect(`${stdout}${stderr}`).not.toBe('')
  if (command.startsWith('curl') && command.includes('/chat/completions')) {
    expect(JSON.parse(stdout).choices[0].message.content).toMatch(/^Reply/)
  }
}

/** Writes a program of a page; the types of all are checked at the end. */
export function keepProgram({ code, file }: Block, name: string, folder: string): string {
  const program = path.join(folder, file ?? `${name}.ts`)
  writeFileSync(program, adapt(code))
  return program
}

/** Runs a program of a page. */
export async function runProgram(block: Block, name: string, folder: string): Promise<void> {
  const { code } = block
  const program = keepProgram(block, name, folder)
  const { stdout } = await inPage(folder).run(process.execPath, [program])
  if (/console\.log|stdout\.write/.test(code)) expect(stdout).not.toBe('')
}

/** JSON is whole, YAML is a config or a recipe; a block that names its file is there for the lines after it. */
export function keepFile({ language, code, file }: Block, folder: string): void {
  if (language === 'yaml') {
    const value = parseYaml(code)
    const kept = path.join(folder, file ?? 'recipe.yaml')
    writeFileSync(kept, adapt(code))
    if ('base' in value) readRecipe(kept)
    else checkConfig(value)
  }
  if (language === 'json') expect(JSON.parse(code)).toBeTypeOf('object')
  if (language === 'jsonl') for (const line of code.trim().split('\n')) JSON.parse(line)
  if (file) writeFileSync(path.join(folder, file), adapt(code))
}
