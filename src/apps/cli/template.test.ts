/** Which messages a server gets, by the template that flags, preset, config or a trained model's card name. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ChatServer, startChatServer } from '../../../test/chat-server.ts'
import { aft } from '../../../test/command-line.ts'
import { hashTemplate, type Template } from '../../core/provider/template.ts'
import { aggregatorMessages, proposerMessages } from '../../core/templates.ts'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { checkpointFile } from '../../files/find-checkpoint.ts'
import { defaultTemplate, paperTemplate } from '../../plans/wordings.ts'

const question = [{ role: 'user' as const, content: 'Why?' }]
const mine: Template = { ...paperTemplate, id: 'mine', aggregatorSystem: 'Merge:\n{{proposals}}' }
let server: ChatServer
let folder: string
beforeAll(async () => {
  server = await startChatServer(scriptedEngine(() => 'Because.'))
})
afterAll(() => server.close())
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aft-template-'))
})
afterEach(() => server.bodies.splice(0))

const write = (name: string, value: unknown) => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  writeFileSync(path.join(folder, name), JSON.stringify(value))
}
const writeCard = (templates: object[]) =>
  write(`tuned/${checkpointFile}`, { type: 'checkpoint', version: 1, templates })
const ask = async (flags: string, model = `${server.baseURL}#m`) => {
  const { code, stderr } = await aft(['ask', 'Why?', '--model', model, ...flags.split(' ').filter(Boolean)], {
    cwd: folder,
  })
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const warnings = stderr.split('\n').filter((line) => line.startsWith('warning'))
  return { messages: server.bodies.map((body) => body.messages), warnings }
}
const drafts = Array.from({ length: 3 }, () => ({ text: 'Because.' }))
const expected = (template: Template) => [
  ...Array(3).fill(proposerMessages(template, question)),
  aggregatorMessages(template, question, drafts),
]

test("a plain prompt sends exactly the user's messages for proposals, and the drafts in a turn after them", async () => {
  const { messages } = await ask('')
  expect(messages.slice(0, 3)).toEqual(Array(3).fill(question))
  expect(messages).toEqual(expected(defaultTemplate))
})

test('the preset `paper` has the structure of the paper', async () => {
  const { messages } = await ask('--preset paper --width 3 --depth 1')
  expect(messages[0]?.[0]).toEqual({ role: 'system', content: '\n' })
  expect(messages).toEqual(expected(paperTemplate))
})

test('--template names a built-in one, a file or a trained model', async () => {
  write('mine.json', mine)
  writeCard([{ id: 'mine', sha256: hashTemplate(mine), wording: mine }])
  for (const [name, template] of [
    ['aft-1', paperTemplate],
    ['mine.json', mine],
    ['tuned', mine],
  ] as const) {
    server.bodies.splice(0)
    expect((await ask(`--template ${name}`)).messages).toEqual(expected(template))
  }
})

describe('a trained model that a server has under the name of its folder', () => {
  const tuned = () => `${server.baseURL}#tuned`

  test('is asked with the wording of its card', async () => {
    writeCard([{ id: 'mine', sha256: hashTemplate(mine), wording: mine }])
    expect(await ask('', tuned())).toEqual({ messages: expected(mine), warnings: [] })
    server.bodies.splice(0)
    expect((await ask('--preset paper --width 3 --depth 1', tuned())).messages).toEqual(expected(mine))
  })

  test('is asked with another one if a flag says so, with a warning', async () => {
    writeCard([{ id: 'aft-1', sha256: hashTemplate(paperTemplate) }])
    const { messages, warnings } = await ask('--template aft-2', tuned())
    expect(messages).toEqual(expected(defaultTemplate))
    expect(warnings).toEqual([
      `warning: ${tuned()} was trained with the wording "aft-1", not with "aft-2": give its --template`,
    ])
  })

  test('with a wording that is not to be had is asked with the default, with a warning', async () => {
    writeCard([{ id: 'lost', sha256: '0'.repeat(64) }])
    const { messages, warnings } = await ask('', tuned())
    expect(messages).toEqual(expected(defaultTemplate))
    expect(warnings).toEqual([expect.stringContaining('was trained with the wording "lost"')])
  })
})

test("a config's entry names the template of its model, and the model that writes the answer decides", async () => {
  write('mine.json', mine)
  const entry = { baseURL: server.baseURL, model: 'm' }
  write('aft.config.json', { engines: { tuned: { ...entry, template: 'mine.json' }, plain: entry } })
  expect((await ask('', 'tuned')).messages).toEqual(expected(mine))
  server.bodies.splice(0)
  const mixed = await ask('--proposers tuned --aggregators plain', 'plain')
  expect(mixed.messages).toEqual(expected(defaultTemplate))
})

test("the checkpoints of the method's authors get the structure of the paper", async () => {
  const { messages } = await ask('', `${server.baseURL}#linzw/Llama-AFT-On-Policy`)
  expect(messages).toEqual(expected(paperTemplate))
})

test('a template that is not there, or is wrong, is named before the first request', async () => {
  write('wrong.json', { ...mine, place: 'top' })
  for (const [name, message] of [
    [
      'none.json',
      'none.json: there is no such file or folder. Without a file there are the templates aft-2, aft-1',
    ],
    ['wrong.json', 'wrong.json: `place`: expected one of system, tail, got "top"'],
  ] as const) {
    const args = ['ask', 'Why?', '--model', `${server.baseURL}#m`, '--template', name]
    expect((await aft(args, { cwd: folder })).stderr).toContain(message)
  }
  expect(server.bodies).toEqual([])
})
