/** The form of a benchmark that scores answers without a judge. */
import type { Message } from '../core/provider/engine.ts'

/** A question of a benchmark. */
export interface Question {
  id: string
  messages: Message[]
  /** What the scorer needs: the right answer, or the instructions to check. */
  target: unknown
}

/** One number per metric, from 0 to 1. */
export type Scores = Record<string, number>

/** A benchmark that scores answers without a judge. */
export interface Task {
  name: string
  /** Tests and charts use the first. */
  metrics: string[]
  /** False if answers have no short result to vote on. */
  hasMajority?: boolean
  /** Reads the questions, and counts those left out by reason. @throws DataError with the wrong row */
  read(file: string): Promise<{ questions: Question[]; leftOut: Record<string, number> }>
  /** Scores the answers, in their order. */
  score(answers: { question: Question; text: string }[]): Promise<Scores[]>
}
