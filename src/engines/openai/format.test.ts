/** Response formats that a server does not take. */
import { describe, expect, it } from 'vitest'
import type { ResponseFormat } from '../../core/provider/engine.ts'
import { type Asked, collect, model, open } from './openai.fixture.ts'

const schema = { type: 'object', properties: { city: { type: 'string' } } }
const asSchema: ResponseFormat = { type: 'json_schema', json_schema: { name: 'x', schema } }
const asObject: ResponseFormat = { type: 'json_object' }
const typeOf = ({ body }: Asked) => (body.response_format as ResponseFormat | undefined)?.type
const inWords = 'Reply with one JSON value that follows this JSON schema, and with nothing else:\n'

/** A server that takes none of these types. */
function refusing(...refusals: [type: string, message: string][]) {
  return (asked: Asked) => {
    const [, message] = refusals.find(([type]) => typeOf(asked) === type) ?? []
    return message ? asked.refuse(400, { error: { message } }) : model()(asked)
  }
}

describe('a type of response format that a server refuses', () => {
  it.each([
    'This response_format type is unavailable now',
    'This model does not support response format `json_schema`. See supported models at https://…',
    "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
    'response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later',
  ])('is sent as a JSON object, with the schema in words, and each end warns of it: %s', async (message) => {
    const { engine, asked } = await open({}, refusing(['json_schema', message]))
    const { ends } = await collect(engine, { responseFormat: asSchema })
    expect(asked.map(typeOf)).toEqual(['json_schema', 'json_object'])
    expect(asked.at(-1)?.body.messages[0]).toEqual({
      role: 'system',
      content: inWords + JSON.stringify(schema),
    })
    expect(ends[0]?.warnings).toEqual([expect.stringContaining('asked for in words')])
    await collect(engine, { responseFormat: asSchema })
    expect(asked).toHaveLength(3)
    expect((await collect(engine)).ends[0]?.warnings).toBeUndefined()
  })

  it('stands in words alone if a JSON object is refused too, after the system message', async () => {
    const { engine, asked } = await open(
      {},
      refusing(
        ['json_schema', 'response_format json_schema is not supported'],
        ['json_object', "'response_format' of type 'json_object' is not supported with this model"],
      ),
    )
    const messages = [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Hi' },
    ]
    expect((await collect(engine, { messages, responseFormat: asSchema })).ends).toHaveLength(1)
    expect(asked.map(typeOf)).toEqual(['json_schema', 'json_object', undefined])
    const content = `Be brief.\n\n${inWords}${JSON.stringify(schema)}`
    expect(asked.at(-1)?.body.messages).toEqual([{ role: 'system', content }, messages[1]])
    await collect(engine, { responseFormat: asObject })
    expect(asked.at(-1)?.body.messages[0]?.content).toBe('Reply with one JSON object and nothing else.')
  })

  it('is a schema of any object if only JSON objects are refused', async () => {
    const message = "'response_format.type' must be 'json_schema' or 'text'"
    const { engine, asked } = await open({}, refusing(['json_object', message]))
    const { ends } = await collect(engine, { responseFormat: asObject })
    expect(asked.at(-1)?.body.response_format).toMatchObject({ json_schema: { schema: { type: 'object' } } })
    expect(ends[0]?.warnings).toBeUndefined()
  })

  it('stays an error if the schema itself is wrong, or the request is strict', async () => {
    const wrong =
      "Invalid schema for response_format 'x': In context=(), 'additionalProperties' is not supported."
    const { engine, asked } = await open({}, refusing(['json_schema', wrong]))
    const { failures } = await collect(engine, { responseFormat: asSchema })
    expect(failures).toMatchObject([{ error: { kind: 'refused', param: 'response_format' } }])
    const other = await open({}, refusing(['json_schema', 'response_format json_schema is not supported']))
    const strict = await collect(other.engine, { responseFormat: asSchema, strict: true })
    expect(strict.failures).toMatchObject([{ error: { param: 'response_format' } }])
    expect([asked.length, other.asked.length]).toEqual([1, 1])
  })
})
