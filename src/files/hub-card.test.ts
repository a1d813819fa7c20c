import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { licenseFacts, toHubCard } from './hub-card.ts'

test('facts join the front matter, and what the card says stays; sections come before the others', () => {
  const card = '---\nlibrary_name: peft\n---\n# Title\n\nText.\n\n## Recipe\n\nx\n'
  const made = toHubCard(card, {
    facts: { library_name: 'transformers', tags: ['aft'], license: undefined },
    sections: [{ title: 'Use', text: 'So.' }],
  })
  const [, front = '', body] = made.split('---\n')
  expect(parse(front)).toEqual({ library_name: 'peft', tags: ['aft'] })
  expect(body).toBe('# Title\n\nText.\n\n## Use\n\nSo.\n\n## Recipe\n\nx\n')
})

test('a card without front matter or sections gets both', () => {
  const made = toHubCard('# Title\n', {
    facts: { tags: ['a: b'] },
    sections: [{ title: 'Use', text: 'So.' }],
  })
  expect(made).toBe('---\ntags:\n  - "a: b"\n---\n# Title\n\n## Use\n\nSo.\n\n')
})

test.each([
  ['MIT', { license: 'mit' }],
  ['CC BY-NC 4.0', { license: 'cc-by-nc-4.0' }],
  ['my own terms', { license: 'other', license_name: 'my own terms' }],
  ['not stated; look it up before you share this', {}],
  [undefined, {}],
])('license %j', (words, facts) => expect(licenseFacts(words)).toEqual(facts))
