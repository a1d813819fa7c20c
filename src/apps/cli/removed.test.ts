import { expect, test } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { makeProgram } from './main.ts'

test.each([['run x.jsonl --format jsonl', '--format: use --output-format; --format is always of an input']])(
  'a removed flag is an error that tells the new name: aft %s',
  async (line, message) => {
    const words = line.split(' ')
    const program = await makeProgram(words)
    const parsed = program.parseAsync(words, { from: 'user' })
    await expect(parsed).rejects.toThrow(new UsageError(message))
  },
)
