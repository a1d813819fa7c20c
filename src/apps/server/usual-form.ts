/** Forms of a chat request that other servers take, and that mean the same as the usual one. */

type Fields = Record<string, unknown>

/** A body in the usual form. What means nothing else stays as it is, for the check to refuse. */
export function toUsualForm(value: unknown): unknown {
  if (!isFields(value)) return value
  const body = { ...value }
  if (isEmpty(body.functions)) delete body.functions
  // Older clients say that they call no functions, or that the model may decide, also without any.
  if (body.functions === undefined && /^(none|auto)$/.test(String(body.function_call)))
    delete body.function_call
  if (typeof body.top_k === 'number' && body.top_k <= 0) delete body.top_k
  if (body.reasoning_effort === '' || body.reasoning_effort === 'default') delete body.reasoning_effort
  if (body.tool_choice !== undefined) body.tool_choice = toChoice(body.tool_choice)
  if (Array.isArray(body.tools)) body.tools = body.tools.map(withType)
  if (Array.isArray(body.messages)) body.messages = body.messages.map(toMessage)
  return body
}

/** `any` of Mistral and Anthropic, a name beside the type, and a list of allowed tools with a mode. */
function toChoice(choice: unknown): unknown {
  if (choice === 'any') return 'required'
  if (!isFields(choice)) return choice
  const { type, name, function: called, allowed_tools: allowed } = choice
  if (type === 'allowed_tools' && isFields(allowed)) return allowed.mode ?? choice
  if ((type === 'tool' || type === 'function') && typeof name === 'string' && !called) {
    return { type: 'function', function: { name } }
  }
  return choice
}

function toMessage(value: unknown): unknown {
  if (!isFields(value)) return value
  const message = { ...value }
  if (isEmpty(message.tool_calls)) delete message.tool_calls
  if (message.name === '') delete message.name
  if (message.role === 'tool') message.content ??= ''
  if (Array.isArray(message.content)) message.content = message.content.map(toPart)
  if (Array.isArray(message.tool_calls)) message.tool_calls = message.tool_calls.map(toCall)
  return message
}

/** Text as the responses API calls it. */
function toPart(part: unknown): unknown {
  const isText = isFields(part) && (part.type === 'input_text' || part.type === 'output_text')
  return isText ? { ...part, type: 'text' } : part
}

/** A call whose arguments are an object, or absent, and that may lack its type. */
function toCall(value: unknown): unknown {
  const call = withType(value)
  if (!isFields(call) || !isFields(call.function)) return call
  const { arguments: given = {} } = call.function
  return isFields(given)
    ? { ...call, function: { ...call.function, arguments: JSON.stringify(given) } }
    : call
}

function withType(value: unknown): unknown {
  return isFields(value) && isFields(value.function) && value.type === undefined
    ? { ...value, type: 'function' }
    : value
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
