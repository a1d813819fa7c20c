/**
 * UltraFeedback as published: completions of four models per prompt. Ratings are texts ("1" to "5", or "N/A").
 * 2,628 of the overall scores are a wrong 10, so the score is `fine-grained_score` or else the mean of the ratings.
 */
import {
  asFields,
  ask,
  asList,
  asModel,
  asScore,
  asText,
  type Fields,
  perRecord,
  type Response,
  type Source,
} from '../../files/rows/row.ts'

/** The source `ultrafeedback`. */
export const ultrafeedback: Source = {
  about: 'UltraFeedback as published: {instruction, completions: [{response, model, annotations, …}]}',
  columns: ['instruction', 'completions'],
  ...perRecord((row, id) => ({
    id,
    prompt: ask(asText(row.instruction, 'instruction')),
    responses: asList(row.completions, 'completions').map((value, i) =>
      readCompletion(asFields(value, `completions[${i}]`)),
    ),
  })),
}

function readCompletion(completion: Fields): Response {
  const { response, model } = completion
  const score =
    asScore(completion['fine-grained_score'], 'fine-grained_score') ?? meanRating(completion.annotations)
  return {
    text: typeof response === 'string' ? response : '',
    model: asModel(model),
    ...(score !== undefined && { score }),
  }
}

/** Returns the mean of the ratings that are numbers; undefined if there are none. */
function meanRating(annotations: unknown): number | undefined {
  if (typeof annotations !== 'object' || annotations === null) return undefined
  const ratings = Object.values(annotations)
    .map((annotation) => asScore((annotation as Fields | null)?.Rating, 'Rating'))
    .filter((rating) => rating !== undefined)
  return ratings.length === 0 ? undefined : ratings.reduce((a, b) => a + b) / ratings.length
}
