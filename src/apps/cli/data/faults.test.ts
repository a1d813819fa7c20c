import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { aftHere } from '../../../../test/aft-here.ts'
import { useBadRows } from './faults.fixture.ts'

const { build, folder } = useBadRows(aftHere)

test('more broken records than --max-bad allows: the first is named, the exit code is 1, and no folder is left', async () => {
  const { code, stderr } = await build(['bad.jsonl', '-o', 'none'])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^error: bad\.jsonl:21: expected JSON: .*\. 9 of 33 records are broken; --max-bad sets/,
    ),
  })
  expect(readdirSync(folder).filter((name) => name.startsWith('none'))).toEqual([])
})
