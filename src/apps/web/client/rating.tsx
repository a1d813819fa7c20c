/** What a reader says of an answer: good or bad, and why. It goes to the file of the server. */
import { useState } from 'preact/hooks'
import { type Rating, sendRating } from './api.ts'
import { answerOf, type Turn } from './run.ts'

interface Props {
  turn: Turn
  /** Name of the journal, or `chat`. */
  source: string
}

/** Shows two buttons, then a field for a comment. Each press and each comment is a line of the file. */
export function RatingButtons({ turn, source }: Props) {
  const [rating, setRating] = useState<Rating['rating']>()
  const [comment, setComment] = useState('')
  const [note, setNote] = useState('')
  const send = async (change: Pick<Rating, 'rating' | 'comment'>) => {
    try {
      await sendRating({ ...ratingOf(turn, source), ...change })
      setNote('Saved.')
    } catch (error) {
      setNote((error as Error).message)
    }
  }
  const rate = (rating: 'good' | 'bad') => {
    setRating(rating)
    void send({ rating })
  }
  return (
    <form
      class="rating"
      onSubmit={(event) => {
        event.preventDefault()
        if (comment.trim()) void send({ rating, comment })
      }}
    >
      {(['good', 'bad'] as const).map((name) => (
        <button
          key={name}
          type="button"
          class="quiet"
          aria-pressed={rating === name}
          onClick={() => rate(name)}
        >
          {name === 'good' ? 'Good' : 'Bad'}
        </button>
      ))}
      {rating && (
        <>
          <input
            aria-label="Comment"
            placeholder="Why?"
            value={comment}
            maxLength={10_000}
            onInput={(e) => setComment(e.currentTarget.value)}
          />
          <button type="submit" disabled={comment.trim() === ''}>
            Save the comment
          </button>
        </>
      )}
      <span class="soft" role="status">
        {note}
      </span>
    </form>
  )
}

function ratingOf({ id, question, run }: Turn, source: string): Rating {
  return { id, source, question, answer: run.answer ?? '', model: answerOf(run)?.engine, seed: run.seed }
}
