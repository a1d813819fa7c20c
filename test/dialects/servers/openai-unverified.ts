/** The same models for an organization that has not shown its papers: no streams. */
import { refusal } from '../dialect.ts'
import { dialect as reasoning, refuse } from './openai-reasoning.ts'

export const dialect = {
  ...reasoning,
  name: 'OpenAI, not verified for streams',
  refuse: (asked: Parameters<typeof refuse>[0]) =>
    asked.body.stream === true
      ? refusal(
          400,
          'Your organization must be verified to stream this model. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization.',
          { param: 'stream', code: 'unsupported_value' },
        )
      : refuse(asked),
}
