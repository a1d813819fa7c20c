/** UltraFeedback as published: completions of four models per prompt; see the form in `files/forms/lists.ts`. */
import { ultrafeedback as form } from '../../files/forms/lists.ts'
import { perRecord, type Source } from '../../files/rows/row.ts'

/** The source `ultrafeedback`. */
export const ultrafeedback: Source = {
  about: 'UltraFeedback as published: {instruction, completions: [{response, model, annotations, …}]}',
  columns: ['instruction', 'completions'],
  ...perRecord((row, id) => ({ id, prompt: form.ask(row), responses: form.responses?.(row) ?? [] })),
}
