/** Azure OpenAI, classic: a key in a header of its own, a version in the query, and chunks of the content filter. */
import { firstOf, openAILike, type Refusal, refusal } from '../dialect.ts'
import { refuseAsOpenAI, tooLong } from './openai.ts'

const safe = { hate: { filtered: false, severity: 'safe' }, violence: { filtered: false, severity: 'safe' } }
const filtered = { created: 0, id: '', model: '', object: '' }

function checkAccess(url: string, key: unknown): Refusal | undefined {
  if (!/^\/openai\/deployments\/\w+\/chat\/completions\?api-version=/.test(url))
    return { status: 404, body: { error: { code: '404', message: 'Resource not found' } } }
  if (key) return undefined
  const message = 'Access denied due to invalid subscription key or wrong API endpoint.'
  return { status: 401, body: { error: { code: '401', message } } }
}

export const dialect = openAILike({
  name: 'Azure OpenAI',
  address: 'https://my-resource.openai.azure.com/openai/deployments/gpt4o?api-version=2024-06-01',
  headers: { 'api-key': 'key-of-a-test' },
  refuse: (asked) => {
    const newer = firstOf(['max_completion_tokens', 'stream_options', 'reasoning_effort'], asked)
    const denied = checkAccess(asked.url, asked.headers['api-key'])
    if (denied || !newer) return denied ?? refuseAsOpenAI(asked)
    return refusal(400, `Unrecognized request argument supplied: ${newer}`)
  },
  first: [
    { ...filtered, choices: [], prompt_filter_results: [{ prompt_index: 0, content_filter_results: safe }] },
  ],
  // The asynchronous filter reports after the text, in a choice without a delta.
  last: (usage) => [
    {
      ...filtered,
      choices: [{ index: 0, finish_reason: null, content_filter_results: safe, content_filter_offsets: {} }],
      usage: null,
    },
    { choices: [], usage },
  ],
  tooLong,
  busy: {
    status: 429,
    body: {
      error: {
        code: '429',
        message: 'Requests to this operation have exceeded the rate limit. Please retry after 1 second.',
      },
    },
  },
})
