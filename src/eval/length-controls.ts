/** Reads the two files that the length-controlled win rate needs in addition to the annotations. */
import { DataError } from '../core/provider/errors.ts'
import { type RowPlaces, readCsv, show, wrongRow } from './row-file.ts'

/** What the length-controlled win rate needs in addition to the annotations. */
export interface LengthControls {
  /** The difficulty of each row's instruction, by row. */
  difficulty: number[]
  /** Preferences for outputs that were made longer or shorter on purpose. They show the effect of length alone. */
  gamed: GamedRow[]
}

/** A preference for an output that was made longer or shorter on purpose. */
export interface GamedRow {
  /** From 0 (the baseline wins) to 1. */
  preference: number
  /** Difference of the lengths in standard deviations. */
  lengthDifference: number
  difficulty: number
}

/**
 * Reads `df_gamed.csv` and `instruction_difficulty.csv`.
 * @throws DataError with the wrong row, or if the files are swapped; FileError if one cannot be read
 */
export async function readLengthControls(gamedFile: string, difficultyFile: string): Promise<LengthControls> {
  const columns = ['preference', 'std_delta_len', 'instruction_difficulty']
  const gamed = await readCsv(gamedFile, columns, 'the preferences for gamed outputs')
  const difficulty = await readDifficulty(difficultyFile)
  return {
    difficulty,
    gamed: gamed.rows.map((row, i) => {
      const number = (field: string) => readNumber(gamed, i, field, row[field])
      const preference = number('preference')
      if (preference < 0 || preference > 1) {
        throw wrongRow(gamed, i + 1, `expected \`preference\` to be from 0 to 1, got ${preference}`)
      }
      return {
        preference,
        lengthDifference: number('std_delta_len'),
        difficulty: number('instruction_difficulty'),
      }
    }),
  }
}

async function readDifficulty(file: string): Promise<number[]> {
  const found = await readCsv(file, ['instruction_difficulty'], 'the difficulty of each instruction')
  const named = found.rows[0] ?? {}
  if ('preference' in named) {
    throw new DataError(
      file,
      1,
      'expected the difficulty of each instruction, got gamed outputs. Are two files swapped?',
    )
  }
  return found.rows.map((row, i) => {
    if (row.index !== undefined && Number(row.index) !== i) {
      throw wrongRow(found, i + 1, `expected \`index\` to be ${i}, got ${show(row.index)}`)
    }
    return readNumber(found, i, 'instruction_difficulty', row.instruction_difficulty)
  })
}

function readNumber(of: RowPlaces, i: number, field: string, text = ''): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw wrongRow(of, i + 1, `expected \`${field}\` to be a number, got ${show(text)}`)
}
