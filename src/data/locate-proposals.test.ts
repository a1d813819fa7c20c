import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message } from '../core/provider/engine.ts'
import { aggregatorMessages, placeOfProposals } from '../core/templates.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { locateProposals } from './locate-proposals.ts'

test('the place of a proposal is the place of its text, for any template and texts', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '2. b', '{{text}}', '{{number}}', '\u0001', '$&', 'So it is\n#### 42'),
  )
  const shown = fc.array(fc.record({ text }), { minLength: 1, maxLength: 12 })
  const wording = fc.record({
    aggregatorSystem: fc.constantFrom('a {{proposals}} b', '{{proposals}}', '{{x}}{{proposals}}'),
    proposal: fc.constantFrom(
      '{{number}}. {{text}}',
      '<{{text}}>{{number}}',
      '{{number}}{{number}}: {{text}}',
      '{{number}} {{text}} {{x}} {{text}}',
    ),
    separator: fc.constantFrom('\n', '', '\n\n---\n'),
    keepUserSystem: fc.boolean(),
    place: fc.constantFrom('system' as const, 'tail' as const),
  })
  fc.assert(
    fc.property(shown, wording, fc.boolean(), (proposals, words, hasSystem) => {
      const template = { ...paperTemplate, ...words }
      const head: Message[] = hasSystem ? [{ role: 'system', content: 'Be brief.' }] : []
      const conversation: Message[] = [...head, { role: 'user', content: 'Why?' }]
      const messages = aggregatorMessages(template, conversation, proposals)
      const content = String(messages[placeOfProposals(template, messages)]?.content)
      const spans =
        locateProposals(
          template,
          conversation,
          proposals.map((p) => p.text),
        ) ?? []
      expect(spans.map((span) => content.slice(...span))).toEqual(proposals.map((p) => p.text))
    }),
  )
  expect(locateProposals({ ...paperTemplate, aggregatorSystem: 'x' }, [], [])).toBeUndefined()
})
