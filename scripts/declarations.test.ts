import path from 'node:path'
import { expect, test } from 'vitest'
import { findReachable } from './declarations.ts'

test('declarations are reached by every kind of import, in circles too', () => {
  const files: Record<string, string> = {
    'index.d.ts': "export { a } from './room/a.ts'\nexport type * from './b.js'\nimport 'zod'",
    'room/a.d.ts': 'export declare const a: import("../c.ts").C',
    'b.d.ts': "import type { A } from './index.ts'",
    'c.d.ts': '',
    'd.d.ts': "import './index.ts'",
  }
  const read = (file: string) => files[file.replaceAll(path.sep, '/')] as string
  const found = [...findReachable(['index.d.ts'], read)].map((file) => file.replaceAll(path.sep, '/'))
  expect(found.sort()).toEqual(['b.d.ts', 'c.d.ts', 'index.d.ts', 'room/a.d.ts'])
})
