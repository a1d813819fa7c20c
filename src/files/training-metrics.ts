/** `metrics.jsonl` and `eval.jsonl` of a training run: one measurement per line, as the trainer writes them. */
import { existsSync } from 'node:fs'
import { DataError } from '../core/provider/errors.ts'
import { readText } from './read-text.ts'

/** A measurement. `tokens` and `seconds` count from the first step, over all resumes; older files lack some fields. */
export interface Metric {
  /** From 1 in `metrics.jsonl`; 0 is before training in `eval.jsonl`. */
  step: number
  /** Nats per token; null if it was not a finite number. */
  loss: number | null
  learningRate?: number
  gradNorm?: number
  /** Tokens read up to this step. */
  tokens?: number
  seconds?: number
  /** Mean reward of the answers sampled for this step, if the run learns from rewards. */
  reward?: number
}

/**
 * Reads the measurements in order; none if the file does not exist. The cut last line of a killed trainer is skipped.
 * @throws DataError with the line that is no measurement, FileError if the file cannot be read
 */
export function readMetrics(file: string): Metric[] {
  if (!existsSync(file)) return []
  const lines = readText(file).split('\n').map(withoutNaN)
  const last = lines.pop() ?? ''
  const metrics = lines.flatMap((text, i) => (text.trim() === '' ? [] : [parseMetric(file, i + 1, text)]))
  return isJson(last) ? [...metrics, parseMetric(file, lines.length + 1, last)] : metrics
}

/** Python writes numbers that are not finite as words that are no JSON. Trainers of earlier versions did so. */
function withoutNaN(line: string): string {
  return line.replace(/(?<=:\s*)(?:NaN|-?Infinity)(?=\s*[,}])/g, 'null')
}

/** A measurement whose loss is a number. */
export type Loss = Metric & { loss: number }

/** Reads the measurements whose loss is a number, as `readMetrics` does. */
export function readLosses(file: string): Loss[] {
  return readMetrics(file).filter((metric): metric is Loss => metric.loss !== null)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function parseMetric(file: string, line: number, text: string): Metric {
  if (!isJson(text)) throw new DataError(file, line, `expected JSON, got ${text.slice(0, 40)}`)
  const fields = (JSON.parse(text) ?? {}) as Record<string, unknown>
  const isNumber = (name: string) => typeof fields[name] === 'number' && Number.isFinite(fields[name])
  if (!isNumber('step') || !(isNumber('loss') || fields.loss === null))
    throw new DataError(file, line, 'expected `step` and `loss`, as `aft train` writes them')
  const names = ['step', 'loss', 'learningRate', 'gradNorm', 'tokens', 'seconds', 'reward']
  const known = names.filter((name) => name === 'loss' || isNumber(name))
  return Object.fromEntries(known.map((name) => [name, fields[name]])) as unknown as Metric
}
