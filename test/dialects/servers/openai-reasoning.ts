/** OpenAI's models that reason (o-series, GPT-5): the sampling is fixed, and the limit has another name. */
import { type Asked, countTokens, firstOf, openAILike, type Refusal, refusal } from '../dialect.ts'
import { refuseAsOpenAI, tooLong } from './openai.ts'

const fixed = { temperature: 1, top_p: 1, n: 1, presence_penalty: 0, frequency_penalty: 0 }

export function refuse(asked: Asked): Refusal | undefined {
  const { body } = asked
  if (body.max_tokens !== undefined)
    return unsupported('max_tokens', "Use 'max_completion_tokens' instead.", 'parameter')
  for (const [field, value] of Object.entries(fixed)) {
    if (body[field] === undefined || body[field] === value) continue
    const hint = `Only the default (${value}) value is supported.`
    return refusal(
      400,
      `Unsupported value: '${field}' does not support ${body[field]} with this model. ${hint}`,
      {
        param: field,
        code: 'unsupported_value',
      },
    )
  }
  const field = firstOf(['logprobs', 'top_logprobs', 'logit_bias', 'stop', 'parallel_tool_calls'], asked)
  if (field) return unsupported(field, '', 'parameter')
  const roles = new Set(body.messages.map(({ role }) => role))
  if (roles.has('developer') && roles.has('system'))
    return refusal(400, "developer and system messages can't be used in the same request.")
  return refuseAsOpenAI(asked)
}

function unsupported(param: string, hint: string, what: string): Refusal {
  const message = `Unsupported ${what}: '${param}' is not supported with this model. ${hint}`
  return refusal(400, message.trim(), { param, code: 'unsupported_parameter' })
}

export const dialect = openAILike({
  name: 'OpenAI, models that reason',
  address: 'https://api.openai.com/v1',
  refuse,
  usage: (asked, n) => ({
    prompt_tokens: countTokens(asked),
    completion_tokens: 40 * n,
    completion_tokens_details: { reasoning_tokens: 32 * n },
  }),
  tooLong,
})
