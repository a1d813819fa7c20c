/** POST /v1/messages/count_tokens: the tokens of a conversation, if the engine that answers can count them. */
import type { Message } from '../../../core/provider/engine.ts'
import { ApiError } from '../api-error.ts'
import { readJson } from '../gate.ts'
import { withoutNulls } from '../nulls.ts'
import type { Parts, RequestContext } from '../parts.ts'
import { readMessages } from './request.ts'

/** Counts as the engine of the last layer reads the conversation, without proposals. Tools count as their JSON. */
export function countTokensAt({ offer, names }: Parts): (c: RequestContext) => Promise<Response> {
  return async (c) => {
    const { ask } = readMessages(withoutNulls(await readJson(c)), offer)
    const { messages, tools } = ask.prompt
    const engine = names.engines[ask.plan.layers.at(-1)?.voices[0]?.engine ?? '']
    if (!engine?.countTokens) {
      throw new ApiError(404, `the engine of ${ask.model} does not count tokens`, { code: 'not_supported' })
    }
    const declared: Message[] = tools ? [{ role: 'system', content: JSON.stringify(tools) }] : []
    return c.json({ input_tokens: await engine.countTokens([...declared, ...messages]) })
  }
}
