/** What a plain `import 'aft'` loads. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Packages that a program loads, built-in modules left out. */
function packagesLoadedBy(program: string): string[] {
  const watch = `
    import { registerHooks } from 'node:module'
    const packages = new Set()
    registerHooks({ resolve(name, context, next) {
      const { url } = next(name, context)
      const found = url.match(/node_modules\\/((@[^/]+\\/)?[^/]+)/)
      if (found) packages.add(found[1])
      return next(name, context)
    } })
    process.on('exit', () => console.log(JSON.stringify([...packages])))`
  const preload = `data:text/javascript,${encodeURIComponent(watch)}`
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--import',
    preload,
    '--input-type=module',
    '-e',
    program,
  ]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname }))
}

test('importing the package, opening a server and answering loads no other package: zod alone takes as long as the rest', () => {
  const program = `const { answer, openEngine, scriptedEngine } = await import('../src/index.ts')
    await openEngine('http://127.0.0.1:9/v1#m')
    await answer('Why is the sky blue?', { engine: scriptedEngine([{ replies: ['Air.'] }]) })`
  expect(packagesLoadedBy(program)).toEqual([])
})

test('importing the package loads neither the client of HTTP nor fetch: both together take as long as its own modules', () => {
  const list = `await import('../src/index.ts')
    console.log(process.moduleLoadList.filter((name) => /NativeModule (http|https|http2|.*undici)$/.test(name)).join())`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', list]
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname })
  expect(output.trim()).toBe('')
})
