/** Null in a request. Clients write it for what is absent: the official Python client's `model_dump()` does. */

/** Fields whose values are the caller's own data, where null means null. */
const DATA = ['schema', 'parameters', 'input_schema', 'arguments', 'chat_template_kwargs', 'metadata']

/** A body without fields that are null. A null content stays: it says that an assistant has only called tools. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([name, field]) => field !== null || name === 'content')
  return Object.fromEntries(
    fields.map(([name, field]) => [name, isData(name, field) ? field : withoutNulls(field)]),
  )
}

/** The `input` of a tool that was called is an object; that of a response is a list of items. */
function isData(name: string, field: unknown): boolean {
  return DATA.includes(name) || (name === 'input' && !Array.isArray(field))
}
