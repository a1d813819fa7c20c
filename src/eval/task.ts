/** A benchmark whose answers are scored without a judge. */
import type { Message } from '../core/provider/engine.ts'

/** A question of a benchmark. */
export interface Question {
  id: string
  messages: Message[]
  /** What the scorer needs: the right answer, or the instructions to be checked. */
  target: unknown
}

/** One number a metric, from 0 to 1. */
export type Scores = Record<string, number>

/** A benchmark that scores answers without a judge. */
export interface Task {
  name: string
  /** The first is the one that tests and charts are about. */
  metrics: string[]
  /** False if answers have nothing to vote on. */
  hasMajority?: boolean
  /** Questions, and how many were left out and why. @throws DataError with the row that is wrong */
  read(file: string): Promise<{ questions: Question[]; leftOut: Record<string, number> }>
  /** Scores of answers, in their order. */
  score(answers: { question: Question; text: string }[]): Promise<Scores[]>
}
