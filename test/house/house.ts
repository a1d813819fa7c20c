/** Measures the source tree: floors, import circles, lines per folder, long functions. Tests and `npm run house` read it. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAst } from 'rolldown/parseAst'

export const root = path.join(import.meta.dirname, '..', '..')

export const find = (pattern: string): string[] =>
  globSync(pattern, { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .sort()

export const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')

/** What is shipped, and the page's scripts: no tests, no fixtures. */
export const sources = find('src/**/*.{ts,tsx}').filter((file) => !/\.(test|fixture)\./.test(file))

/** From the ground up. A line imports only from a lower floor, or from its own room. */
export const floors: string[][] = [
  ['lib', 'core/provider'],
  ['core'],
  ['plans'],
  ['files'],
  ['engines'],
  ['run'],
  ['data', 'train', 'eval', 'analyze', 'report', 'request'],
  ['apps'],
]

/** Most lines of each folder, comments and blank lines included. A folder that needs more needs a reason in the commit. */
export const budgets: Record<string, number> = JSON.parse(read('test/house/budgets.json'))

/** The room of a file: `core/provider` or the first folder under `src`. */
export function roomOf(file: string): string {
  const [, place = '', next] = file.split('/')
  if (file === 'src/index.ts') return 'index'
  return place === 'core' && next === 'provider' ? 'core/provider' : place
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room))
}

/** Relative imports, static and dynamic, types too, as written. */
export function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom|\bimport|\bnew URL)[\s(]*['"](\.[^'"]*)['"]/g
  return [...source.matchAll(pattern)].map((match) => match[1] as string)
}

/** The files under `src` that a file imports. */
export function targetsOf(file: string, source: string): string[] {
  const targets = importsOf(source).map((to) => path.posix.join(path.dirname(file), to))
  return targets.filter((to) => to.startsWith('src/'))
}

/** Imports that the floors do not allow: from the same floor's other rooms, or from above. */
export function findCrossings(file: string, source: string): string[] {
  const from = roomOf(file)
  if (from === 'index') return []
  return targetsOf(file, source).filter((to) => {
    const room = roomOf(to)
    return room !== from && floorOf(room) >= floorOf(from)
  })
}

/** One circle per group of files that reach each other, types included; each as a sorted list of files. */
export function findCircles(graph: Map<string, string[]>): string[][] {
  const circles: string[][] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const visit = (file: string): number => {
    order.set(file, order.size)
    let low = order.get(file) as number
    open.push(file)
    for (const to of graph.get(file) ?? []) {
      if (!order.has(to)) low = Math.min(low, visit(to))
      else if (open.includes(to)) low = Math.min(low, order.get(to) as number)
    }
    lowest.set(file, low)
    if (low === order.get(file)) {
      const group = open.splice(open.indexOf(file))
      if (group.length > 1) circles.push(group.sort())
    }
    return low
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return circles
}

export function importGraph(): Map<string, string[]> {
  const known = new Set(sources)
  return new Map(sources.map((file) => [file, targetsOf(file, read(file)).filter((to) => known.has(to))]))
}

export interface FunctionSize {
  file: string
  name: string
  line: number
  lines: number
}

type Node = { type: string; start: number; end: number; [key: string]: unknown }

const FUNCTIONS = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/

/** Every function of a file with the lines it spans, those within others too. */
export function functionsOf(file: string, source: string): FunctionSize[] {
  const found: FunctionSize[] = []
  const starts = [0]
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1)
  const lineAt = (offset: number) => starts.findLastIndex((start) => start <= offset) + 1
  walk(parseFile(file, source), undefined, (node, parent) => {
    if (!FUNCTIONS.test(node.type)) return
    const line = lineAt(node.start)
    found.push({ file, name: nameOf(node, parent), line, lines: lineAt(node.end) - line + 1 })
  })
  return found
}

/** Spreads of object or array literals (`...{ a, b }`): they only fold lines. Returns the line of each. */
export function literalSpreads(file: string, source: string): number[] {
  const found: number[] = []
  walk(parseFile(file, source), undefined, (node, parent) => {
    const argument = node.argument as Node | undefined
    const isFold = argument?.type === 'ObjectExpression' && parent?.type === 'ObjectExpression'
    const isArrayFold = argument?.type === 'ArrayExpression' && parent?.type === 'ArrayExpression'
    if (node.type === 'SpreadElement' && (isFold || isArrayFold)) {
      found.push(source.slice(0, node.start).split('\n').length)
    }
  })
  return found
}

/** Exported declarations without a sentence directly above them, as `FILE:LINE NAME`. Tags such as `@throws` do not count. */
export function exportsWithoutSentence(file: string, source: string): string[] {
  return (parseFile(file, source).body as Node[]).flatMap((statement) => {
    const declaration = statement.declaration as (Node & { declarations?: { id: { name: string } }[] }) | null
    if (!/^Export(Named|Default)Declaration$/.test(statement.type) || !declaration) return []
    const before = source.slice(0, statement.start)
    const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n$/.exec(before)?.[1] ?? ''
    if (/\w/.test(comment.replace(/@[\s\S]*/, ''))) return []
    const id = (declaration.id ?? declaration.declarations?.[0]?.id) as { name?: string } | undefined
    return [`${file}:${before.split('\n').length} ${id?.name ?? 'default'}`]
  })
}

/** By source: three rules look at each file. */
const parsed = new Map<string, Node>()

function parseFile(file: string, source: string): Node {
  const known = parsed.get(source)
  if (known) return known
  const node = parseAst(source, { lang: file.endsWith('.tsx') ? 'tsx' : 'ts' }) as unknown as Node
  parsed.set(source, node)
  return node
}

function walk(node: Node, parent: Node | undefined, visit: (node: Node, parent?: Node) => void): void {
  visit(node, parent)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof (child as Node).type === 'string') walk(child as Node, node, visit)
    }
  }
}

function nameOf(node: Node, parent: Node | undefined): string {
  const id = (node.id ?? parent?.id ?? parent?.key) as { name?: string } | undefined
  return id?.name ?? '(anonymous)'
}

/** Lines of the files under a folder of `src`, sources only. */
export function linesOf(folder: string, but: string[] = []): number {
  const files = sources.filter(
    (file) => file.startsWith(`src/${folder}/`) && !but.some((other) => file.startsWith(`src/${other}/`)),
  )
  return files.reduce((sum, file) => sum + read(file).split('\n').length - 1, 0)
}

/** Lines of every folder that has a budget; a folder with a budget of its own does not count in the one around it. */
export function linesPerFolder(): Record<string, number> {
  const folders = Object.keys(budgets)
  return Object.fromEntries(
    folders.map((folder) => [
      folder,
      linesOf(
        folder,
        folders.filter((other) => other.startsWith(`${folder}/`)),
      ),
    ]),
  )
}
