import { expect, test } from 'vitest'
import { createLanguageCheck } from './languages.ts'

test('a text in another language is named, one that cannot be told is not', async () => {
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

test('a language that is not known is refused', async () => {
  await expect(createLanguageCheck(['en', 'english'])).rejects.toThrow('--languages: "english" is not known')
})
