/** The words with which servers say that a prompt is too long, and the figures in them. */

/** Statuses that come with such words; 429 never does: "too many tokens" is a rate there. */
const STATUSES = [400, 413, 422, 500]

const OVERFLOW = [
  // OpenAI, vLLM, llama-server, SGLang, Mistral, DeepSeek, LM Studio, MiniMax
  /context[_ -]?(length|window|size|limit|overflow)/i,
  /(maximum|max|available|allowed) (model |input |prompt |total )?(context|sequence length|tokens? (count|limit))/i,
  /(maximum|max|allowed) (model|input|prompt|total) length|(maximum|max) length\b.*\btokens?\b/is,
  /exceeds? (the|this|your|its) (maximum|available|allowed|configured|model'?s?) [\w ]*(context|tokens?|limit|length)/i,
  /exceed\w* (the )?(model |configured |max\w* )?(token|context) ?limit/i,
  // Anthropic, Bedrock, Cohere, GLM, Atlas
  /(prompt|input|request|message|conversation|content|query)s? (is|are|was|were)? ?too (long|large|big)/i,
  /too long for (the|this) (model|context)/i,
  /(prompt|input|messages?)( length| tokens?)? exceeds? (the )?max/i,
  /longer than the (maximum|model|context)/i,
  /expected maxLength/i,
  // OpenAI (new), Copilot, Vertex, Gemini, Cerebras, Groq
  /input tokens? exceeds?/i,
  /token count [^.]*\bexceeds?\b/i,
  /token count is \d+ but/i,
  /reduce the (length|size) of (the|your) (messages?|prompt|input)/i,
  // TGI, TensorRT-LLM, DashScope, vLLM's older engines, Ollama
  /`?inputs`? tokens \+ `?max_new_tokens`? must be/i,
  /`?inputs`? must have less than/i,
  /range of input length should be/i,
  /(prompt|input|sequence) length[^.]* (should|must) not exceed/i,
  /(prompt|input)[^.]* (is )?longer than [^.]*(context|max|\d)/i,
  /(prompt|input|sequence) length \(?[\d,]+\)? (exceeds|is (greater|longer|larger))/i,
  /number of (input |prompt )?tokens[^.]* (cannot|must not|should not|may not) exceed/i,
  /too many (input |prompt )?tokens/i,
  /(input|prompt|total)_?tokens?(_limit)?_exceed|max_(total|input|prompt)_tokens exceeded/i,
  /tokens? (in (the |your )?(request|prompt|messages) )?(exceeds?|more than|over) (the )?(max|limit)/i,
  /exceeds? (the )?max\w* (message |input |prompt |total )?tokens/i,
  /(max_seq_len|max_model_len|max_num_tokens|n_ctx|num_ctx|max_position_embeddings)\b/i,
]

/** A limit on the answer alone, or on something else: no trimming helps. */
const OTHER_LIMIT =
  /(parameter|field|value of|argument)? ?[`'"]?max_(completion_|new_|output_)?tokens[`'"]?\b/i
const ANSWER_ONLY =
  /^(?!.*(context|prompt|input|messages)).*[`'"]?max_(completion_|new_|output_)?tokens[`'"]?.*(at most|less than|maximum value|too large|<=|must be|range)/is

/** Whether the words say that the prompt is longer than the model takes. */
export function saysOverflow(status: number, message: string): boolean {
  if (status === 413) return true
  if (!STATUSES.includes(status)) return false
  return OVERFLOW.some((words) => words.test(message)) && !isAboutAnswer(message) && !isAboutField(message)
}

/** Of a field that is no text of the prompt, such as an id or `stop`, OpenAI says that it is too long. */
function isAboutField(message: string): boolean {
  const [, path] = /'([\w.[\]]+)': (?:string|array) too long/.exec(message) ?? []
  return path !== undefined && !/\b(content|input|prompt|text)\b/.test(path)
}

function isAboutAnswer(message: string): boolean {
  return OTHER_LIMIT.test(message) && ANSWER_ONLY.test(message)
}

const NUMBER = String.raw`(\d{3,}|\d{1,3}(?:,\d{3})+)(?:\.\d+)?`
const CONTEXT = [
  `> ?${NUMBER}`,
  String.raw`context (?:length|window|size)(?! exceeds limit \()\D{0,20}${NUMBER}`,
  `context length of (?:only )?${NUMBER}`,
  String.raw`(?:configured|token|context)[ _]limit(?: of)?\D{0,4}${NUMBER}`,
  String.raw`(?:limit (?:of|is)|maximum number of tokens allowed|only supports up to|max_seq_len|should not exceed max_num_tokens|must be <=|must have less than|should be \[\d+,)[ (]*${NUMBER}`,
  `${NUMBER} maximum context`,
  `(?:cannot|not) exceed[a-z ]{0,30} ${NUMBER}`,
  String.raw`max(?:imum)? (?:[a-z_]+ )?(?:length|of|is) (?:is )?\(?${NUMBER}`,
  `(?:max_kv_size|session_len) ${NUMBER}`,
].map((pattern) => new RegExp(pattern, 'i'))
const PROMPT = [
  String.raw`${NUMBER} \+ \d+ >`,
  `${NUMBER} tokens from the input|${NUMBER} of text input`,
  `${NUMBER} (?:input tokens|in the messages|in your prompt|${'`'}inputs${'`'} tokens)`,
  `(?:resulted in|requested|request|request has|too long:|too many tokens:|received|request contains|prompt length|sequence length|input length|\\(length|input tokens|Given:|token count(?: of| is)?|Current length is|prompt length|prompt contains|the input|first)[ (]+${NUMBER}`,
].map((pattern) => new RegExp(pattern, 'i'))

/** Tokens of the prompt and of the context, as far as the words name them. */
export function readTokens(message: string): { prompt?: number; context?: number } {
  return { prompt: find(PROMPT, message), context: find(CONTEXT, message) }
}

function find(patterns: RegExp[], message: string): number | undefined {
  for (const pattern of patterns) {
    const [, ...found] = pattern.exec(message) ?? []
    const digits = found.find((group) => group !== undefined)
    if (digits !== undefined) return Number(digits.replaceAll(',', ''))
  }
  return undefined
}
