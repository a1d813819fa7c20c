/** One API and New API in front of Gemini: a finish reason in every piece, and calls that all have the number 0. */
import { openAILike, type Refusal } from '../dialect.ts'

function says(message: string, status = 400): Refusal {
  const error = {
    message: `${message} (request id: 2025112512511874)`,
    type: 'new_api_error',
    param: '',
    code: 'bad_response_status_code',
  }
  return { status, body: { error } }
}

export const dialect = openAILike({
  name: 'One API, Gemini behind it',
  address: 'http://127.0.0.1:3000/v1',
  ignoresN: true,
  finishesEachPiece: true,
  finish: ({ isCut }) => (isCut ? 'length' : 'stop'),
  showsReasoning: true,
  deltas: ({ reasoning, text, calls = [] }) => [
    ...(reasoning ? [{ content: `<think>${reasoning}` }, { content: '</think>' }] : []),
    ...(text ? [{ role: 'assistant', content: text.slice(0, 6) }, { content: text.slice(6) }] : []),
    ...calls.map((called, i) => ({
      tool_calls: [{ index: 0, id: `call_${i}a`, type: 'function', function: called }],
    })),
  ],
  last: () => [],
  usage: () => ({}),
  tooLong: ({ prompt, context }) =>
    says(`The input token count (${prompt}) exceeds the maximum number of tokens allowed (${context}).`),
  busy: says('当前分组上游负载已饱和，请稍后再试', 429),
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ error: { message, type: 'upstream_error', code: status } })}\n\n`,
})
