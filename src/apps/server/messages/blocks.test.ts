import { expect, test } from 'vitest'
import { createBlocks } from './blocks.ts'

/** Puts the events together as a client does. */
function assemble(events: { type: string; index?: number; delta?: Record<string, string> }[]): string[] {
  const texts: string[] = []
  let open: number | undefined
  for (const { type, index = 0, delta } of events) {
    if (type === 'content_block_start') {
      expect(open).toBe(undefined)
      open = index
      texts[index] = ''
    } else if (type === 'content_block_stop') open = undefined
    else if (delta) {
      expect(index).toBe(open)
      texts[index] += delta.text ?? delta.thinking ?? delta.partial_json ?? ''
    }
  }
  expect(open).toBe(undefined)
  return texts
}

test('calls whose pieces alternate, and text between them, come out whole', () => {
  const events: object[] = []
  const { sink, end } = createBlocks((type, fields) => events.push({ type, ...fields }), true)
  sink.reasoning(0, 'Hm.')
  sink.content(0, 'I ')
  sink.content(0, 'look.')
  sink.toolCall(0, { position: 0, id: 'a', name: 'look', arguments: '{"a":' })
  sink.toolCall(0, { position: 1, id: 'b', name: 'wait', arguments: '{"b":' })
  sink.content(0, 'And wait.')
  sink.toolCall(0, { position: 0, arguments: '1}' })
  sink.toolCall(0, { position: 1, arguments: '2}' })
  const content = end(false)
  expect(assemble(events as never)).toEqual(['Hm.', 'I look.', '{"a":1}', 'And wait.', '{"b":2}'])
  expect(content).toMatchObject([
    { type: 'thinking', thinking: 'Hm.' },
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 'a', input: { a: 1 } },
    { type: 'text', text: 'And wait.' },
    { type: 'tool_use', id: 'b', input: { b: 2 } },
  ])
})

test('a call without arguments has an empty input, and one that was cut too', () => {
  const empty = createBlocks(() => {}, false)
  empty.sink.toolCall(0, { position: 0, id: 'a', name: 'look' })
  expect(empty.end(false)).toMatchObject([{ input: {} }])
  const cut = createBlocks(() => {}, false)
  cut.sink.toolCall(0, { position: 0, id: 'a', name: 'look', arguments: '{"at":' })
  expect(cut.end(true)).toMatchObject([{ input: {} }])
})
