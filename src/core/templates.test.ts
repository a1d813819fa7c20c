import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { builtInTemplates, defaultTemplate, findTemplate, paperTemplate } from '../plans/wordings.ts'
import { type Message, textOf } from './provider/engine.ts'
import { hashTemplate, type Template } from './provider/template.ts'
import {
  aggregatorMessages,
  judgeMessages,
  placeOfProposals,
  proposerMessages,
  type ShownProposal,
} from './templates.ts'

const golden = path.join(import.meta.dirname, '../../test/golden')
const readJson = (file: string) => JSON.parse(readFileSync(path.join(golden, file), 'utf8'))

/**
 * `prompts/NAME.input.json` is an Input, `prompts/NAME.messages.json` the exact messages. A template is named by its file or
 * its id; `aft-1` if absent.
 */
interface Input {
  role: 'proposer' | 'aggregator' | 'judge'
  conversation: Message[]
  proposals?: ShownProposal[]
  hasTools?: boolean
  at?: number
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
      at,
      template: id = 'aft-1',
    }: Input = readJson(`prompts/${name}.input.json`)
    const isBuiltIn = builtInTemplates.some((known) => known.id === id)
    const template: Template = isBuiltIn ? findTemplate(id) : readJson(`templates/${id}.json`)
    const messages = {
      proposer: () => proposerMessages(template, conversation, hasTools),
      aggregator: () => aggregatorMessages(template, conversation, proposals, { hasTools, at }),
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
            paperTemplate,
            turns,
            texts.map((text) => ({ text })),
          ),
        )
        const list = texts.map((text, i) => `${i + 1}. ${text}`).join('\n')
        expect(system).toBe(paperTemplate.aggregatorSystem.split('{{proposals}}').join(list))
      },
    ),
  )
})

test('the conversation after the system message is the same objects, not copies', () => {
  const [, turn] = aggregatorMessages(paperTemplate, turns, [{ text: 'x' }])
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
  const messages = proposerMessages(paperTemplate, conversation)
  expect(messages).toEqual([{ role: 'system', content: 'Be brief.\n\nBe kind.' }, ...turns, later])
})

test('a conversation of system messages only is a system prompt and nothing after it', () => {
  expect(proposerMessages(paperTemplate, [{ role: 'system', content: 'Go on.' }])).toEqual([
    { role: 'system', content: 'Go on.' },
  ])
})

test('a template without a system message for proposers adds none', () => {
  expect(proposerMessages({ ...paperTemplate, proposerSystem: '' }, turns)).toEqual(turns)
})

describe('the hash of a template', () => {
  test('does not depend on the order of its keys, but on every word', () => {
    for (const template of builtInTemplates) {
      const reversed = Object.fromEntries(Object.entries(template).reverse()) as unknown as Template
      expect(hashTemplate(reversed)).toBe(hashTemplate(template))
      for (const key of Object.keys(template))
        expect(hashTemplate({ ...template, [key]: 'other' })).not.toBe(hashTemplate(template))
    }
  })

  test('is the same for the place `system` as for none', () => {
    expect(hashTemplate({ ...paperTemplate, place: 'system' })).toBe(hashTemplate(paperTemplate))
    expect(hashTemplate({ ...paperTemplate, place: 'tail' })).not.toBe(hashTemplate(paperTemplate))
  })

  test('of a built-in one is this, in every version: checkpoints and journals carry it', () => {
    expect(builtInTemplates.map((template) => [template.id, hashTemplate(template)])).toMatchInlineSnapshot(`
      [
        [
          "aft-2",
          "69ea8dc6ff94ccc8f7c81dc02129b37a869b74fd45ed18b08d1c85fa34f6303f",
        ],
        [
          "aft-1",
          "9458db27b8a3bfd99288de2569a6243a2a1f9bb1ea6d490db4475ec972490681",
        ],
      ]
    `)
  })
})

describe('at the tail', () => {
  const role = fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool')
  const content = fc.oneof(fc.string(), fc.constant([{ type: 'text', text: 'x' }, { type: 'image_url' }]))
  const message = fc.record({ role, content }) as fc.Arbitrary<Message>
  const conversations = fc.array(message, { minLength: 1, maxLength: 6 })
  const texts = fc.array(
    fc.string().map((text) => ({ text })),
    { minLength: 1, maxLength: 3 },
  )

  test('every role gets the same turns, the very objects, and one user turn more', () => {
    fc.assert(
      fc.property(conversations, texts, (conversation, proposals) => {
        const asked = proposerMessages(defaultTemplate, conversation)
        for (const messages of [
          aggregatorMessages(defaultTemplate, conversation, proposals),
          judgeMessages(defaultTemplate, conversation, proposals),
          proposerMessages(defaultTemplate, conversation, true),
        ]) {
          const at = placeOfProposals(defaultTemplate, messages)
          expect(messages[at]?.role).toBe('user')
          const others = messages.toSpliced(at, 1)
          expect(others).toHaveLength(asked.length)
          for (const [i, turn] of others.entries()) expect(turn).toBe(asked[i])
          // Only a reply that was begun stands after it.
          expect(messages.slice(at + 1).every((m) => m.role === 'assistant')).toBe(true)
        }
      }),
    )
  })

  test("a proposer gets exactly the user's messages, without blank system messages at their head", () => {
    fc.assert(
      fc.property(conversations, (conversation) => {
        const isHead = (i: number) =>
          conversation.slice(0, i + 1).every((m) => /system|developer/.test(m.role))
        const kept = conversation.filter((m, i) => !(isHead(i) && textOf(m).trim() === ''))
        expect(proposerMessages(defaultTemplate, conversation)).toEqual(kept)
      }),
    )
  })
})

test('a template is found by its id, one of the caller first; an unknown id lists those there are', () => {
  const own = { ...defaultTemplate, id: 'aft-1' }
  expect(findTemplate('aft-1', [undefined, own])).toBe(own)
  expect(findTemplate('aft-1')).toBe(paperTemplate)
  expect(() => findTemplate('aft-9', [own])).toThrow('there is no template "aft-9"; there are: aft-1, aft-2')
})
