/**
 * Bundles the page's TypeScript and its libraries into one script, and those of exported pages into another.
 *   node src/apps/web/build-page.ts FOLDER
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Plugin, rolldown } from 'rolldown'
import type { PageFiles } from './page-files.ts'

const client = path.join(import.meta.dirname, 'client')

/** Libraries that become part of the script. Their licenses must be published with it. */
const bundled = ['preact', 'marked', 'dompurify', 'diff', 'temml', 'highlight.js', 'zod']

function readLicense(name: string): string {
  const folder = path.join(import.meta.dirname, '../../../node_modules', name)
  const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const [file] = readdirSync(folder).filter((file) => /^licen[cs]e(\.md)?$/i.test(file))
  if (!file) throw new Error(`${name} has no license file`)
  return `${name} ${version}, ${license}\n\n${readFileSync(path.join(folder, file), 'utf8')}`
}

/** Bundles the sources and collects the licenses. @throws the bundler's error if a source is wrong */
export async function buildPage(): Promise<PageFiles> {
  const read = (name: string) => readFileSync(path.join(client, name), 'utf8')
  // The base comes first, then the style sheet of each part.
  const styles = globSync('*.css', { cwd: client })
    .filter((name) => name !== 'app.css')
    .sort()
  const css = [...['app.css', ...styles].map(read), readMathStyle()].join('\n')
  const licenses = bundled.map(readLicense).join('\n')
  return {
    'index.html': read('index.html'),
    ...(await bundleParts('main.tsx')),
    'app.css': css,
    'icon.svg': read('icon.svg'),
    'export.html': makeShell(await bundle('viewer.tsx', 'iife'), css, licenses),
    'demo.jsonl': read('demo.jsonl'),
    'demo-single.jsonl': read('demo-single.jsonl'),
    'licenses.txt': licenses,
  }
}

/** The style of formulas, without the font: those of the system have its letters, and the page loads no fonts. */
function readMathStyle(): string {
  const file = path.join(import.meta.dirname, '../../../node_modules/temml/dist/Temml-Local.css')
  return readFileSync(file, 'utf8').replace(/@font-face \{[^}]*\}/g, '')
}

/** Names of the parts. All but the first are loaded when a text or a file needs them. */
const PARTS = ['app.js', 'math.js', 'code.js', 'results.js'] as const

/** Bundles the page in parts. */
async function bundleParts(entry: string): Promise<Pick<PageFiles, (typeof PARTS)[number]>> {
  const bundle = await open(entry, [withoutCharts])
  const { output } = await bundle.generate({
    format: 'esm',
    minify: true,
    entryFileNames: 'app.js',
    chunkFileNames: '[name].js',
  })
  await bundle.close()
  const code = (name: string) => {
    const found = output.find(({ fileName }) => fileName === name)
    if (found?.type !== 'chunk') throw new Error(`the bundler made no ${name}`)
    return found.code
  }
  if (output.length !== PARTS.length)
    throw new Error(`the bundler made ${output.map((o) => o.fileName).join(', ')}`)
  return Object.fromEntries(PARTS.map((name) => [name, code(name)])) as Record<(typeof PARTS)[number], string>
}

/** Exported pages are one file that is sent around: they draw formulas, but do not color code. */
const withoutColors = {
  name: 'without-colors',
  resolveId: (id: string) => (id === './code.ts' ? '\0no-code' : undefined),
  load: (id: string) => (id === '\0no-code' ? 'export const colorize = () => {}' : undefined),
}

/** The page shows results as tables: the library that draws charts is ten times its size. */
const withoutCharts = {
  name: 'without-charts',
  resolveId: (id: string) => (id === './chart.ts' ? '\0no-chart' : undefined),
  load: (id: string) =>
    id === '\0no-chart' ? `export const drawChart = async () => ''\nexport const PALETTE = []` : undefined,
}

const open = (entry: string, plugins: Plugin[] = []) =>
  rolldown({
    input: path.join(client, entry),
    plugins,
    transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    logLevel: 'silent',
  })

async function bundle(entry: string, format: 'iife'): Promise<string> {
  const bundle = await open(entry, [withoutColors])
  const { output } = await bundle.generate({ format, minify: true, codeSplitting: false })
  await bundle.close()
  return output[0].code
}

/** Allows this script and this style alone, by their hashes: whatever else a text smuggles in does not run. */
function makeShell(script: string, css: string, licenses: string): string {
  // In a page, these would end the script or begin a comment. In texts and patterns of a script, the escape is the same.
  const inline = script.replace(/<(?=\/script|!--|script)/gi, '\\x3c')
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(inline)}`,
    `style-src ${hashOf(css)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types dompurify',
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>aft</title>
<style>${css}</style>
</head>
<body>
<noscript>This page needs JavaScript: its conversation stands in it as JSON.</noscript>
<div id="app"></div>
<script type="application/json" id="aft-conversation">null</script>
<script type="text/plain">
Licenses of the libraries in the script below.

${licenses.replaceAll('<', '(').replaceAll('>', ')')}</script>
<script>${inline}</script>
</body>
</html>
`
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder = 'dist/apps/web'] = process.argv.slice(2)
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(await buildPage())) writeFileSync(path.join(folder, name), text)
}
