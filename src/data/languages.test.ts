import { expect, test } from 'vitest'
import { createLanguageCheck } from './languages.ts'

test('the language of a text is returned if it is another one, and not if it is uncertain', async () => {
  const findOther = await createLanguageCheck(['en', 'de'])
  const found = [
    'How many rivers flow into the Baltic Sea?',
    'Wie viele Flüsse münden in die Ostsee?',
    'Pourquoi le ciel est-il bleu ?',
    '¿Cuántos ríos hay en España?',
    '天空为什么是蓝色的？',
    'Почему небо голубое?',
    '2 + 2 =',
    'OK',
    '',
    '🙂🙂',
  ].map(findOther)
  expect(found).toEqual([
    undefined,
    undefined,
    'fr',
    'es',
    'zh',
    'ru',
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('an unknown language is refused', async () => {
  await expect(createLanguageCheck(['en', 'english'])).rejects.toThrow('--languages: "english" is unknown')
})
