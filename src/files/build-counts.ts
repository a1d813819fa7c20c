/** What a build of training data counts: the data card and the report of a data set show it. */

/** Why things were left out, with how often. */
export type Reasons = Record<string, number>

/** Counts by half octaves: bin `i` holds lengths from 2^(i/2) to below 2^((i+1)/2). */
export interface LengthCounts {
  bins: number[]
  texts: number
  chars: number
}

/** What is measured of the examples, in memory that does not grow with them. */
export interface BuildStatistics {
  lengths: Record<'prompts' | 'proposals' | 'targets', LengthCounts>
  /** Examples by how much of the target's word 4-grams some proposal has: ten bins of ten percent, the last with 100. */
  overlap: number[]
}

/** How many rows were read, and what was made of them. */
export interface BuildCounts {
  read: number
  /** Records that are no rows. */
  bad: number
  /** Examples of each split. */
  train: number
  validation: number
  /** Examples without proposals. */
  plain: number
  /** Examples with trimmed proposals. */
  trimmed: number
  /** Rows by the reason why they were dropped. */
  dropped: Reasons
  /** Responses by the reason why they were not shown. */
  left: Reasons
  /** Proposals by model. */
  models: Reasons
  /** Rows dropped because a benchmark has their prompt, by benchmark. */
  benchmarks: Reasons
  statistics: BuildStatistics
}
