/** The form of a benchmark that scores answers without a judge. */
import type { Message } from '../core/provider/engine.ts'

/** A question of a benchmark. */
export interface Question {
  id: string
  messages: Message[]
  /** What the scorer needs: the right answer, or the instructions to check. */
  target: unknown
  /** Of a question that is asked several times: the one that it repeats, and how far its seed is from the first. */
  again?: { question: string; seed: number }
}

/** Asks each question once per seed. The first time it is as it was, so that a run with more seeds resumes one with fewer. */
export function repeatQuestions(questions: Question[], seeds: number): Question[] {
  return Array.from({ length: seeds }, (_, seed) =>
    questions.map((question): Question => {
      if (seed === 0) return question
      const again = { question: question.id, seed }
      return { ...question, id: `${question.id} (seed ${seed + 1})`, again }
    }),
  ).flat()
}

/** One number per metric, from 0 to 1. */
export type Scores = Record<string, number>

/** Gives the answer that most of the texts agree on; among equals, the first. */
export type Vote = (texts: string[]) => string

/** A benchmark that scores answers without a judge. */
export interface Task {
  name: string
  /** Tests and charts use the first. */
  metrics: string[]
  /** False if answers have no short result to vote on. */
  hasMajority?: boolean
  /** Votes among answers, if it is not the last number of each that counts. `parts` votes on each part of the answer. */
  votes?: { whole: Vote; parts?: Vote }
  /** Reads the questions, and counts those left out by reason. @throws DataError with the wrong row */
  read(file: string): Promise<{ questions: Question[]; leftOut: Record<string, number> }>
  /** Scores the answers, in their order. */
  score(answers: { question: Question; text: string }[]): Promise<Scores[]>
}
