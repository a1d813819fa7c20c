/**
 * Writes the template file for the checkpoints that the method's authors released, from the authors' own code: their wording
 * is not part of this project.
 *
 *   git clone https://github.com/Linzwcs/AFT authors
 *   node scripts/authors-template.ts authors/src/aft/net.py > authors.json
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Template } from '../src/core/provider/template.ts'

/** Of the wording at the commit 4230de5. */
const SHA256 = '0ab4b22031a5dc449dcdcecdd8444d99423208de14d738f13ed6471070b4ba90'

/**
 * The template that the code builds its prompts with: a string of Python, then the proposals, in the system message.
 * @throws Error if the string is not there
 */
export function readAuthorsTemplate(code: string): Template {
  const [, literal] = /^\s*template = ("(?:[^"\\\n]|\\.)*")$/m.exec(code) ?? []
  if (literal === undefined) throw new Error('expected a line `template = "…"`, as in src/aft/net.py')
  // With these escapes a string of Python is one of JSON.
  const wording: string = JSON.parse(literal)
  return {
    id: 'authors',
    proposerSystem: '\n',
    aggregatorSystem: `${wording}\n{{proposals}}`,
    proposal: '{{number}}. {{text}}',
    separator: '\n',
    keepUserSystem: false,
  }
}

/** Whether the wording is the one that the checkpoints were published with. */
export function isPublished({ aggregatorSystem }: Template): boolean {
  return hash('sha256', aggregatorSystem) === SHA256
}

if (import.meta.main) {
  const template = readAuthorsTemplate(readFileSync(process.argv[2] ?? '', 'utf8'))
  if (!isPublished(template))
    console.error('the wording is not that of the commit 4230de5: the authors may have changed it')
  console.log(JSON.stringify(template, null, 2))
}
