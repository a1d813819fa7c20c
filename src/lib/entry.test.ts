import { expect, test } from 'vitest'
import { entryBeside } from './entry.ts'

test('beside a source it is a source, beside a compiled file a compiled file', () => {
  expect(entryBeside('file:///aft/src/engines/open.ts', 'worker').href).toBe(
    'file:///aft/src/engines/worker.ts',
  )
  expect(entryBeside('file:///aft/dist/engines/open.js', 'worker').href).toBe(
    'file:///aft/dist/engines/worker.js',
  )
})
