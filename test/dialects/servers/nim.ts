/** NVIDIA NIM, MiniMax and proxies of Codex: the name of a function comes again with every piece. */
import { halves, openAILike, type Refusal } from '../dialect.ts'

const says = (detail: string, status: number): Refusal => ({
  status,
  body: { type: 'urn:inference-service:problem-details', title: 'Bad Request', status, detail },
})

export const dialect = openAILike({
  name: 'NVIDIA NIM',
  address: 'https://integrate.api.nvidia.com/v1',
  ignoresN: true,
  reasoningIn: 'reasoning_content',
  deltas: ({ reasoning, text = '', calls = [] }) => [
    ...(reasoning ? [{ role: 'assistant', content: null, reasoning_content: reasoning }] : []),
    ...halves(text).map((content) => ({ role: 'assistant', content })),
    ...calls.flatMap(({ name, arguments: args }, index) =>
      ['', ...halves(args)].map((piece) => ({
        tool_calls: [
          { index, id: `chatcmpl-tool-${index}`, type: 'function', function: { name, arguments: piece } },
        ],
      })),
    ),
  ],
  tooLong: ({ prompt, context }) =>
    says(
      `This model's maximum context length is ${context} tokens. However, your request has ${prompt} input tokens. Please reduce the length of the input messages.`,
      400,
    ),
  busy: says('Too Many Requests', 429),
  breaks: ({ message, status }) =>
    `data: ${JSON.stringify({ object: 'error', message, type: 'error', code: status })}\n\n`,
})
