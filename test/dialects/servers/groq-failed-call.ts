/** Groq when a model writes a call that is none: an error with what was written, and another try often succeeds. */
import { refusal } from '../dialect.ts'
import { dialect as groq } from './groq.ts'

const failed = {
  message: "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
  code: 'tool_use_failed',
  failed_generation: '<function=get_weather{"city": "Oslo"}>',
}

export const dialect = {
  ...groq,
  name: 'Groq, a call that failed',
  busy: refusal(400, failed.message, failed),
}
