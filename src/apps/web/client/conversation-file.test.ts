import { expect, test } from 'vitest'
import { type Conversation, readConversation, toHtml, toJson } from './conversation-file.ts'
import { toMarkdown } from './conversation-markdown.ts'
import type { RunView } from './run.ts'

const member = (index: number, text: string) => ({ index, state: 'done' as const, text, reasoning: '' })
const run: RunView = {
  state: 'done',
  layers: [
    { isLast: false, members: [{ ...member(0, 'One.'), engine: 'small', tokens: 3 }, member(1, 'Two.')] },
    { isLast: true, members: [{ ...member(0, 'Both.'), saw: [0, 1] }] },
  ],
  answer: 'Both.',
  from: { layer: 1, index: 0 },
  degradedBecause: [],
  usage: { calls: 2, inputTokens: 10, prefilledTokens: 5, outputTokens: 6, cachedTokens: { judge: 2 } },
}
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
const messages = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Why?' }, image] }]
const turn = { id: 'a', question: 'Why?', messages, run }
const conversation: Omit<Conversation, 'id'> = { title: 'Why?', time: 1_000, turns: [turn] }
const shell =
  '<title>aft</title><script type="application/json" id="aft-conversation">null</script><script>run()</script>'

test('a conversation comes back from JSON and from a page as it was', () => {
  expect(readConversation('a.json', toJson(conversation))).toMatchObject(conversation)
  expect(readConversation('a.html', toHtml(shell, conversation))).toMatchObject(conversation)
})

test('no text of a conversation ends the data element or the title, or is a pattern of a replacement', () => {
  const hostile = `</script><script>1</script></title>$&$\`$'<!--`
  const page = toHtml(shell, {
    ...conversation,
    title: hostile,
    turns: [{ ...turn, question: hostile, run: { ...run, answer: hostile } }],
  })
  expect(page.match(/<script/g)).toHaveLength(2)
  expect(page.match(/<\/title>/g)).toHaveLength(1)
  const read = readConversation('a.html', page)
  expect([read.title, read.turns[0]?.question, read.turns[0]?.run.answer]).toEqual([
    hostile,
    hostile,
    hostile,
  ])
})

test('what has another shape is dropped: a page that reads it never sees a wrong type', () => {
  const file = (change: object) =>
    readConversation(
      'a.json',
      JSON.stringify({ type: 'aft-conversation', version: 1, ...conversation, ...change }),
    )
  const of = (change: object) => file({ turns: [{ ...turn, ...change }] }).turns[0]
  expect(of({ run: { ...run, state: 'running', answer: 5, error: {} } })?.run).toMatchObject({
    state: 'stopped',
  })
  expect(of({ run: { ...run, answer: 5 } })?.run).not.toHaveProperty('answer')
  expect(
    of({ run: { ...run, layers: [null, { members: [{ index: -1 }, { index: 0, text: [] }] }] } })?.run.layers,
  ).toEqual([{ isLast: false, members: [{ index: 0, state: 'done', text: '', reasoning: '' }] }])
  expect(of({ run: { ...run, usage: { inputTokens: 'many' } } })?.run).not.toHaveProperty('usage')
  expect(of({ question: {} })).toBeUndefined()
  const remote = { type: 'image_url', image_url: { url: 'https://example.org/spy.png' } }
  expect(of({ messages: [{ role: 'user', content: [remote, image] }, { role: 'root' }] })?.messages).toEqual([
    { role: 'user', content: [image] },
  ])
  expect(file({ title: 'x'.repeat(5_000) }).title).toHaveLength(300)
})

test('what is no conversation is refused with the name of the file', () => {
  for (const wrong of ['', 'null', '[]', '{"type":"aft-conversation"}', '<p>', '{"type":"header"}'])
    expect(() => readConversation('x.json', wrong)).toThrow(/^x\.json holds no conversation: expected a file/)
  const newer = toJson(conversation).replace('"version": 1', '"version": 2')
  expect(() => readConversation('x.json', newer)).toThrow('its version is 2, this page reads version 1')
})

test('Markdown has the question, the answer and each proposal as a quotation', () => {
  const text = toMarkdown({ ...conversation, about: 'Made up.' })
  expect(text).toMatch(/^# Why\?\n\naft, 1970-01-01\n\nMade up\.\n\n## Question\n\n> Why\?/)
  expect(text).toContain('## Answer\n\nBoth.\n\n### Proposal 1 (small, 3 tokens)\n\n> One.')
  const failed = { ...run, state: 'failed' as const, answer: undefined, error: 'slow down' }
  expect(toMarkdown({ ...conversation, turns: [{ ...turn, run: failed }] })).toContain(
    '## No whole answer\n\nslow down',
  )
})
