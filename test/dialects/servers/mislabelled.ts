/** Gateways that call a stream JSON, spread one event over several lines, or end lines in CR. */
import { openAILike } from '../dialect.ts'

export const dialect = openAILike({
  name: 'Gateway with wrong labels',
  address: 'https://gateway.example/v1',
  label: 'application/json',
  reasoningIn: 'reasoning_content',
  frame: (chunk) => {
    const lines = JSON.stringify(chunk, null, 1).split('\n')
    return `${lines.map((line) => `data: ${line}\r\n`).join('')}\r\n`
  },
  done: 'data: [DONE]\r\n\r\n',
  tooLong: () => ({ status: 500, body: 'Error: input is too long for this model' }),
  busy: { status: 502, body: '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>' },
})
