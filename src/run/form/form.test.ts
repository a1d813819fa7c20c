/** Replies that are asked for as JSON: checked, stripped, repaired once, left out or degraded. */
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { Plan, Prompt } from '../../core/plan.ts'
import {
  type CompletionRequest,
  type Engine,
  type ResponseFormat,
  textOf,
} from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import type { AftEvent } from '../../core/result.ts'
import { type Reply, type Script, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { makePlan, type PlanOptions } from '../../plans/strategies.ts'
import { defaultTemplate } from '../../plans/wordings.ts'
import { answerInForm } from './answer.ts'

const schema = {
  type: 'object',
  properties: { river: { type: 'string' }, km: { type: 'number' } },
  required: ['river', 'km'],
  additionalProperties: false,
}
const format: ResponseFormat = { type: 'json_schema', json_schema: { name: 'river', schema } }
const good = '{"river":"Rhine","km":1230}'
const bad = '{"river":"Rhine","km":"long"}'
const problem = 'expected `km` to be number, got "long"'

const isRepair = (request: CompletionRequest) => request.messages.at(-2)?.role === 'assistant'
const layerOf = (request: CompletionRequest) => Number(request.key?.split('.')[0])

/** Replies by layer and sample, and those to the repairs of a layer. */
function layered(layers: (string | Reply)[][], repairs: (string | Reply)[] = []): Script {
  return (request, index) => {
    const layer = layerOf(request)
    return isRepair(request) ? (repairs[layer] ?? 'no') : layers[layer]?.[index]
  }
}

async function ask(engine: Engine, options: Partial<PlanOptions> = {}, more: Partial<Prompt> = {}) {
  const plan: Plan = makePlan({ proposers: ['e'], width: 2, depth: 1, ...options })
  const events: AftEvent[] = []
  const prompt: Prompt = {
    id: 'q',
    messages: [{ role: 'user', content: 'A river?' }],
    responseFormat: format,
    ...more,
  }
  const host = {
    engines: { e: engine },
    template: defaultTemplate,
    clock: createVirtualClock(),
    emit: (event: AftEvent) => void events.push(event),
  }
  return { result: await answerInForm(prompt, plan, host), events }
}

test('replies that are as asked for stay as they are, in every layer', async () => {
  const engine = scriptedEngine(layered([[good, ` ${good}\n`], [good]]))
  const { result } = await ask(engine)
  expect(result).toMatchObject({ answer: good, degraded: false, usage: { calls: 2 } })
  expect(result.warnings).toBeUndefined()
  expect(engine.requests.map((r) => r.responseFormat)).toEqual([format, format])
  expect(result.layers[0]?.completions[1]?.text).toBe(` ${good}\n`)
})

test('one repair shows the model its own text, what is wrong, and the schema; its usage is added', async () => {
  const engine = scriptedEngine(layered([[good, bad], [good]], [good]))
  const { result } = await ask(engine)
  const [, repair] = engine.requests
  expect(repair).toMatchObject({ n: 1, responseFormat: format })
  expect(repair?.messages.at(-2)).toEqual({ role: 'assistant', content: bad })
  const text = textOf(repair?.messages.at(-1) ?? { role: 'user' })
  expect(text).toContain(`- ${problem}`)
  expect(text).toContain(JSON.stringify(schema))
  const [, mended] = result.layers[0]?.completions ?? []
  expect(mended).toMatchObject({ text: good, form: { repaired: [problem] }, usage: { calls: 1 } })
  expect(mended).not.toHaveProperty('excluded')
  expect(result).toMatchObject({ degraded: false, usage: { calls: 3 } })
  expect(result.warnings).toEqual(['a reply was not the JSON that was asked for and was written again'])
})

test('a proposal that is broken after its repair is left out, and stays in the record', async () => {
  const engine = scriptedEngine(layered([[good, bad], [good]], [bad]))
  const { result } = await ask(engine)
  expect(result.layers[0]?.completions[1]).toMatchObject({
    text: bad,
    excluded: 'schema',
    form: { broken: [problem], repaired: [problem] },
  })
  expect(result.layers[1]?.completions[0]?.saw).toEqual([0])
  expect(result).toMatchObject({ answer: good, degraded: false })
  expect(engine.requests).toHaveLength(3)
})

test('an answer that is broken after its repair gives way to a proposal, and the result is degraded', async () => {
  const { result } = await ask(scriptedEngine(layered([[good, good], [bad]], ['', bad])))
  expect(result).toMatchObject({ answer: good, from: { layer: 0 }, degraded: true })
  expect(result.degradedBecause?.at(-1)).toBe(
    `layer 2: completion 1 is not the JSON that was asked for: ${problem}`,
  )
})

test('if all proposals are broken, the aggregator is shown them all the same', async () => {
  const { result } = await ask(scriptedEngine(layered([['The Rhine.', '1230 km.'], [good]])))
  expect(result.layers[0]?.completions.map((c) => c.excluded)).toEqual(['schema', 'schema'])
  expect(result.layers[1]?.completions[0]?.saw).toEqual([0, 1])
  expect(result).toMatchObject({ answer: good, degraded: false })
})

test('broken proposals never agree', async () => {
  const { result } = await ask(scriptedEngine(layered([[bad, bad], [good]], [bad])), { stopAtAgreement: 0 })
  expect(result).toMatchObject({ answer: good, degraded: false })
  expect(result.agreed).toBeUndefined()
})

test.each([
  ['no other is there', layered([[bad]], [bad]), { strategy: 'single' as const }, {}],
  ['all proposals are broken too', layered([[bad, '{}'], [bad]], [bad, bad]), {}, {}],
  [
    'proposals of a prompt with tools are prose',
    layered([['The Rhine.', 'Long.'], [bad]], ['', bad]),
    {},
    { tools: [{ type: 'function' as const, function: { name: 'look' } }] },
  ],
])('a broken answer is the answer if %s, degraded with the reason', async (_, script, options, more) => {
  const { result, events } = await ask(scriptedEngine(script), options, more)
  expect(result).toMatchObject({ answer: bad, degraded: true })
  expect(result.degradedBecause).toEqual([`the answer is not the JSON that was asked for: ${problem}`])
  expect(events.at(-1)).toEqual({ type: 'answer', result })
  expect(events.filter((event) => event.type === 'answer')).toHaveLength(1)
})

test('JSON that was cut off is degraded, and the repair says that it was cut', async () => {
  const engine = scriptedEngine(
    layered([[{ text: '{"river": "Rhi', finishReason: 'length' }]], ['{"river": "Rh']),
  )
  const { result } = await ask(engine, { strategy: 'single' })
  expect(result).toMatchObject({ answer: '{"river": "Rh', degraded: true })
  expect(textOf(engine.requests[1]?.messages.at(-1) ?? { role: 'user' })).toContain('cut at the limit')
})

test('a fence or words around the JSON are left out only if the whole inside is as asked for', async () => {
  const fenced = `\`\`\`json\n${good}\n\`\`\``
  const { result } = await ask(scriptedEngine(layered([[fenced, `Here: ${good} Bye.`], [fenced]])))
  expect(result).toMatchObject({ answer: good, degraded: false, usage: { calls: 2 } })
  expect(result.layers.flatMap((l) => l.completions.map((c) => c.form))).toEqual([
    { stripped: true },
    { stripped: true },
    { stripped: true },
  ])
  expect(result.warnings).toEqual(['the text around the JSON of a reply was left out'])
  const twice = `${good} or ${good}`
  const other = await ask(scriptedEngine(layered([[twice]], [twice])), { strategy: 'single' })
  expect(other.result).toMatchObject({ answer: twice, degraded: true })
})

test('JSON mode wants an object', async () => {
  const any = { responseFormat: { type: 'json_object' as const } }
  const single = { strategy: 'single' as const }
  const ok = await ask(scriptedEngine(layered([['{"any": [1]}']])), single, any)
  expect(ok.result.degraded).toBe(false)
  const list = await ask(scriptedEngine(layered([['[1]']], ['{}'])), single, any)
  expect(list.result).toMatchObject({ answer: '{}', degraded: false })
  const text = { responseFormat: { type: 'text' as const } }
  expect((await ask(scriptedEngine(layered([['[1']])), single, text)).result).toMatchObject({ answer: '[1' })
})

test('only proposals that are as asked for have a vote', async () => {
  const engine = scriptedEngine(layered([[bad, bad, good]], [bad]))
  const { result } = await ask(engine, { strategy: 'self-consistency', width: 3 })
  expect(result).toMatchObject({ answer: good, degraded: false })
})

test('nothing of a text is sent before it was checked, and the whole text follows in one piece', async () => {
  const { events } = await ask(scriptedEngine(layered([[bad]], [good])), { strategy: 'single' })
  const pieces = events.filter((event) => event.type === 'completion-delta')
  expect(pieces).toEqual([{ type: 'completion-delta', layer: 0, index: 0, text: good }])
})

test('an engine that keeps to schemas sends as it writes; a broken end is not repaired', async () => {
  const scripted = scriptedEngine(layered([[{ text: '{"river": "Rhine", "k', finishReason: 'length' }]]))
  const { result, events } = await ask({ ...scripted, keepsToSchema: true }, { strategy: 'single' })
  expect(events.filter((event) => event.type === 'completion-delta').length).toBeGreaterThan(1)
  expect(scripted.requests).toHaveLength(1)
  expect(result).toMatchObject({ degraded: true })
})

test('calls of tools, empty texts and what a filter held back are not repaired', async () => {
  const call = { id: 'c', type: 'function' as const, function: { name: 'look', arguments: '{}' } }
  const tools = [{ type: 'function' as const, function: { name: 'look' } }]
  for (const reply of [
    { toolCalls: [call] },
    { text: '' },
    { text: 'I', finishReason: 'content-filter' as const },
  ]) {
    const engine = scriptedEngine(layered([[reply]]))
    const { result } = await ask(engine, { strategy: 'single' }, { tools })
    expect(engine.requests).toHaveLength(1)
    expect(result.degraded).toBe(!('toolCalls' in reply))
  }
})

test('a repair that fails leaves the first text, with what both took', async () => {
  const fail: Reply = { text: 'Well', error: { kind: 'server', message: 'broken pipe' } }
  const { result } = await ask(scriptedEngine(layered([[bad]], [fail])), { strategy: 'single' })
  expect(result).toMatchObject({ answer: bad, degraded: true, usage: { calls: 2, outputTokens: 2 } })
})

test('an abort ends the repair, and with it the prompt', async () => {
  const caller = new AbortController()
  const engine = scriptedEngine((request) => {
    if (!isRepair(request)) return bad
    caller.abort(new Error('enough'))
    return { text: good, delayMs: 10_000 }
  })
  const plan = makePlan({ proposers: ['e'], strategy: 'single' })
  const host = {
    engines: { e: engine },
    template: defaultTemplate,
    clock: createVirtualClock(),
    signal: caller.signal,
  }
  const prompt = { id: 'q', messages: [{ role: 'user' as const, content: 'A?' }], responseFormat: format }
  await expect(answerInForm(prompt, plan, host)).rejects.toThrow('enough')
})

test('a schema that is not valid is an error before the first call', async () => {
  const engine = scriptedEngine([])
  const wrong = { type: 'json_schema' as const, json_schema: { name: 'x', schema: { type: 'objekt' } } }
  const asked = ask(engine, {}, { responseFormat: wrong })
  await expect(asked).rejects.toThrow(/^responseFormat\.json_schema\.schema\.type: expected one of/)
  await expect(asked).rejects.toThrow(UsageError)
  expect(engine.requests).toEqual([])
})

test('a reply that is longer than its end said is checked again, and its repair is dropped', async () => {
  const counted = { calls: 1, inputTokens: 1, prefilledTokens: 1, outputTokens: 9 }
  let repairs = 0
  const engine: Engine = {
    id: 'early',
    async *generate(request) {
      const end = { type: 'completion-end', finishReason: 'stop', usage: counted } as const
      if (isRepair(request)) {
        repairs++
        await new Promise((resolve) => request.signal?.addEventListener('abort', resolve))
        return
      }
      for (const index of request.seeds.keys())
        yield { ...end, index, text: index === 0 ? good : '{"river":' }
      await new Promise(setImmediate)
      yield { type: 'completion-usage', index: 0, usage: { ...counted, outputTokens: 12 } }
      const longer = { text: good, finishReason: 'stop' } as const
      yield { type: 'completion-usage', index: 1, usage: counted, end: longer }
      yield { type: 'completion-usage', index: 0, usage: counted, end: { ...longer, text: bad } }
    },
  }
  const { result } = await ask(engine, { strategy: 'self-consistency' })
  expect(repairs).toBe(1)
  expect(result.layers[0]?.completions).toMatchObject([
    { text: bad, excluded: 'schema', form: { broken: [problem] } },
    { text: good },
  ])
  expect(result).toMatchObject({ answer: good, degraded: false })
})
