/** The checkpoints of the method's authors: a server that answers only to the prompts that their code sends. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { isPublished, readAuthorsTemplate } from '../scripts/authors-template.ts'
import { authorsCheckpoints } from '../src/engines/models/models.ts'
import { aftHere } from './aft-here.ts'

/** In the form of their file, with words of our own: theirs are not part of this project. */
const wording = 'You sum up.\nSay "it" once, and \\ twice.\n    \n    Texts of others:'
const code = `class AggReform:
    def forward(self, x):

        template = "You sum up.\\nSay \\"it\\" once, and \\\\ twice.\\n    \\n    Texts of others:"
        ret_sys = []
`
const question = { role: 'user', content: 'Why is the sky blue?' }

/** The system message of their code: `template + "\n" + "\n".join(f"{i+1}. {p}" …)`, and a newline for a proposer. */
function systemOf(layer: number): string {
  if (layer === 0) return '\n'
  return [wording, ...[1, 2, 3, 4, 5].map((i) => `${i}. text ${layer - 1}\n- ${i}`)].join('\n')
}

/** Answers to the right bytes, refuses all others. */
async function startCheckpoint(model: string) {
  const bodies: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const body = JSON.parse(Buffer.concat(pieces).toString())
    const isRight = (layer: number) =>
      isDeepStrictEqual(body.messages, [{ role: 'system', content: systemOf(layer) }, question])
    const layer = [0, 1, 2].find(isRight)
    if (layer === undefined || body.model !== model) {
      response.writeHead(400, { 'content-type': 'application/json' })
      return response.end('{"error":{"message":"not as I was trained"}}')
    }
    bodies.push({ layer, ...body })
    const choices = Array.from({ length: body.n ?? 1 }, (_, index) => {
      const content = `text ${layer}\n- ${index + 1}`
      return { index, message: { role: 'assistant', content }, finish_reason: 'stop' }
    })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        object: 'chat.completion',
        choices,
        usage: { prompt_tokens: 9, completion_tokens: 9 },
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { bodies, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }
}

test.each(authorsCheckpoints.map(({ model }) => model))(
  '%s is asked with the bytes and the sampling of the authors’ code',
  async (model) => {
    const { bodies, address } = await startCheckpoint(model)
    const cwd = mkdtempSync(path.join(tmpdir(), 'aft-authors-'))
    writeFileSync(path.join(cwd, 'authors.json'), JSON.stringify(readAuthorsTemplate(code)))
    const ask = ['ask', question.content, '--model', `${address}#${model}`, '--preset', 'paper']
    const answered = await aftHere([...ask, '--template', 'authors.json', '--max-tokens', '4096'], { cwd })
    expect(answered).toMatchObject({ stdout: 'text 2\n- 1\n', code: 0 })
    const sampled = bodies.map(({ layer, n = 1, temperature, max_tokens }) => ({
      layer,
      n,
      temperature,
      max_tokens,
    }))
    const each = { temperature: 0.7, max_tokens: 4096 }
    expect(sampled).toEqual([5, 5, 1].map((n, layer) => ({ layer, n, ...each })))
    expect(bodies.map(({ top_p }) => top_p)).toEqual([0.95, 0.95, 1])
    const inOurWords = await aftHere(ask, { cwd })
    expect(inOurWords.stdout).toMatch(/^text 0/)
    expect(inOurWords.stderr).toContain('degraded: layer 3: completion 1 is missing (refused)')
  },
)

test('a template from other words, or from none, is noticed', () => {
  expect(isPublished(readAuthorsTemplate(code))).toBe(false)
  expect(() => readAuthorsTemplate('template = 1')).toThrow('expected a line `template = "…"`')
})
