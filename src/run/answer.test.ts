import { expect, test } from 'vitest'
import { openEngine } from '../engines/open.ts'
import { scriptedEngine } from '../engines/scripted/scripted.ts'
import { type AnswerOptions, answer } from './answer.ts'

const engine = scriptedEngine([{ replies: ['Blue.'] }])

test.each<[unknown, unknown, string]>([
  ['hi', undefined, 'expected `engine` or `engines`, got neither'],
  ['hi', {}, 'expected `engine` or `engines`, got neither'],
  ['hi', { engine, engines: { engine } }, 'expected `engine` or `engines`, got both'],
  [
    'hi',
    { engine: 'smollm2' },
    'expected the engine "engine" to have a function `generate`, got a name: write `await openEngine("smollm2")`',
  ],
  [
    'hi',
    { engines: { a: openEngine('scripted:echo') } },
    'expected the engine "a" to have a function `generate`, got a promise: write `await` before it',
  ],
  ['hi', { engine: { doStream() {} } }, 'got a model of the AI SDK: write `fromAiSdk(model)`'],
  ['hi', { engines: { a: 5 } }, 'got number'],
  [
    'hi',
    { engine, template: 'file.json' },
    'expected `template` to be a template, as `await readTemplate(FILE)`',
  ],
  [' ', { engine }, 'expected a prompt, got " "'],
  [undefined, { engine }, 'expected `messages` to be a list of messages, got nothing'],
  [[], { engine }, 'expected `messages` to be a list of messages, got []'],
  [
    [{ role: 'boss', content: 'hi' }],
    { engine },
    'expected `messages[0].role` to be one of system, developer, user',
  ],
])('the prompt %j with %j is refused: %s', async (prompt, options, message) => {
  const given = answer(prompt as string, options as AnswerOptions)
  await expect(given).rejects.toMatchObject({ name: 'UsageError', message: expect.stringContaining(message) })
})

test('a prompt is text, messages, or an object with messages', async () => {
  const messages = [{ role: 'user' as const, content: 'Which color?' }]
  for (const prompt of ['Which color?', messages, { messages }]) {
    expect((await answer(prompt, { engine, width: 1, depth: 0 })).answer).toBe('Blue.')
  }
})
