import { generateText, Output, streamText } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openEngine } from '../../engines/open.ts'
import { createAft } from './ai-sdk.ts'

test('the embedded model answers through the AI SDK: text, stream, and JSON by a grammar', async () => {
  const engine = await openEngine('smollm2')
  try {
    const model = createAft({ engine, width: 2, depth: 1, maxTokens: 40 })('aft')
    const { text, usage, providerMetadata } = await generateText({
      model,
      prompt: 'Why is the sky blue?',
      seed: 1,
    })
    expect(text.trim()).not.toBe('')
    expect(usage.outputTokens).toBeGreaterThan(10)
    expect(providerMetadata?.aft).toMatchObject({ degraded: false, layers: [{}, {}] })

    const pieces: string[] = []
    for await (const piece of streamText({ model, prompt: 'Name a river.', seed: 1 }).textStream)
      pieces.push(piece)
    expect(pieces.length).toBeGreaterThan(1)

    const schema = z.object({ river: z.string(), isLong: z.boolean() })
    const prompt = 'Name a river, and say whether it is long.'
    const { output } = await generateText({ model, prompt, output: Output.object({ schema }), seed: 1 })
    expect(schema.parse(output)).toEqual(output)
  } finally {
    await engine.close?.()
  }
})
