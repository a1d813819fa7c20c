import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Message, textOf } from './provider/engine.ts'
import {
  aggregatorMessages,
  defaultTemplate,
  hashTemplate,
  judgeMessages,
  proposerMessages,
  type ShownProposal,
  type Template,
} from './templates.ts'

const golden = path.join(import.meta.dirname, '../../test/golden')
const readJson = (file: string) => JSON.parse(readFileSync(path.join(golden, file), 'utf8'))

/** `prompts/NAME.input.json` is an Input, `prompts/NAME.messages.json` the exact messages; a template is named by its file. */
interface Input {
  role: 'proposer' | 'aggregator' | 'judge'
  conversation: Message[]
  proposals?: ShownProposal[]
  hasTools?: boolean
  template?: string
}

describe('golden prompts', () => {
  const names = globSync('prompts/*.input.json', { cwd: golden }).map((file) =>
    path.basename(file, '.input.json'),
  )
  test.each(names.sort())('%s', (name) => {
    const {
      role,
      conversation,
      proposals = [],
      hasTools,
      template: file,
    }: Input = readJson(`prompts/${name}.input.json`)
    const template: Template = file ? readJson(`templates/${file}.json`) : defaultTemplate
    const messages = {
      proposer: () => proposerMessages(template, conversation, hasTools),
      aggregator: () => aggregatorMessages(template, conversation, proposals, hasTools),
      judge: () => judgeMessages(template, conversation, proposals),
    }[role]()
    expect(messages).toEqual(readJson(`prompts/${name}.messages.json`))
  })
})

const turns: Message[] = [{ role: 'user', content: 'Hm?' }]
const systemOf = (messages: Message[]) => textOf(messages[0] as Message)

test('a proposal is inserted as it is, whatever it holds', () => {
  const awkward = fc.oneof(
    fc.constantFrom('{{proposals}}', '{{text}}', '{{number}}', '$&', "$'", '$1', '\\'),
    fc.string(),
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.array(awkward).map((parts) => parts.join('')),
        { minLength: 1 },
      ),
      (texts) => {
        const system = systemOf(
          aggregatorMessages(
            defaultTemplate,
            turns,
            texts.map((text) => ({ text })),
          ),
        )
        const list = texts.map((text, i) => `${i + 1}. ${text}`).join('\n')
        expect(system).toBe(defaultTemplate.aggregatorSystem.split('{{proposals}}').join(list))
      },
    ),
  )
})

test('the conversation after the system message is the same objects, not copies', () => {
  const [, turn] = aggregatorMessages(defaultTemplate, turns, [{ text: 'x' }])
  expect(turn).toBe(turns[0])
})

test('system and developer messages at the head are one system prompt; later ones stay where they are', () => {
  const later: Message = { role: 'system', content: 'From now on, rhyme.' }
  const conversation: Message[] = [
    { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
    { role: 'system', content: 'Be kind.' },
    ...turns,
    later,
  ]
  const messages = proposerMessages(defaultTemplate, conversation)
  expect(messages).toEqual([{ role: 'system', content: 'Be brief.\n\nBe kind.' }, ...turns, later])
})

test('a conversation of system messages only is a system prompt and nothing after it', () => {
  expect(proposerMessages(defaultTemplate, [{ role: 'system', content: 'Go on.' }])).toEqual([
    { role: 'system', content: 'Go on.' },
  ])
})

test('a template without a system message for proposers adds none', () => {
  expect(proposerMessages({ ...defaultTemplate, proposerSystem: '' }, turns)).toEqual(turns)
})

describe('the hash of a template', () => {
  test('does not depend on the order of its keys, but on every word', () => {
    const reversed = Object.fromEntries(Object.entries(defaultTemplate).reverse()) as unknown as Template
    expect(hashTemplate(reversed)).toBe(hashTemplate(defaultTemplate))
    for (const key of Object.keys(defaultTemplate))
      expect(hashTemplate({ ...defaultTemplate, [key]: 'other' })).not.toBe(hashTemplate(defaultTemplate))
  })

  test('of the default is this, in every version: checkpoints and journals carry it', () => {
    expect([defaultTemplate.id, hashTemplate(defaultTemplate)]).toMatchInlineSnapshot(`
      [
        "aft-1",
        "9458db27b8a3bfd99288de2569a6243a2a1f9bb1ea6d490db4475ec972490681",
      ]
    `)
  })
})
