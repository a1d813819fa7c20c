/** Keeps what readers of the page say of answers, as lines of a file of the operator. */
import { z } from 'zod'
import { parseBody } from './api-error.ts'
import { appendLine } from './append-line.ts'

const ratingSchema = z
  .strictObject({
    rating: z.enum(['good', 'bad']).optional(),
    comment: z.string().trim().max(10_000).optional(),
    /** Id of the prompt, in a journal. */
    id: z.string().max(1_000).optional(),
    /** Name of the journal, or `chat`. */
    source: z.string().max(1_000),
    question: z.string(),
    answer: z.string(),
    /** Engine that wrote the answer. */
    model: z.string().max(1_000).optional(),
    seed: z.number().optional(),
  })
  .refine(({ rating, comment }) => rating !== undefined || comment, 'expected a rating or a comment')

/** A line of the file. */
export type Rating = z.infer<typeof ratingSchema> & { time: string }

/**
 * Appends a rating with its time.
 * @throws ApiError 400 with the wrong field, 413, 503 and 507 (see `appendLine`); FileError if the file cannot be written
 */
export function appendRating(file: string, body: unknown): Rating {
  const rating = { time: new Date().toISOString(), ...parseBody(ratingSchema, body) }
  appendLine(file, `${JSON.stringify(rating)}\n`)
  return rating
}
