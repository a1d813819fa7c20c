/** Makes AlpacaEval's comparisons: a judge reads each pair of outputs once and names the better one with one token. */
import type { Engine, Usage } from '../core/provider/engine.ts'
import { textOf } from '../core/provider/engine.ts'
import { runJournaledTask, type TaskOutcome, type TaskSettings } from '../files/task-run.ts'
import { hashParts } from '../lib/random.ts'
import { completeOnce } from './complete.ts'
import { type JudgeTemplate, judgeMessages } from './judge-template.ts'
import type { OutputPair, Outputs } from './outputs.ts'
import { isSwitched, readVerdict, unswitch, type Verdict } from './preference.ts'

/** Options of a run of comparisons. */
export interface JudgeOptions extends TaskSettings {
  pairs: OutputPair[]
  generators: [baseline: string, model: string]
  engines: Record<string, Engine>
  /** The name of the engine that compares. */
  judge: string
  template: JudgeTemplate
  /** Decides the order of the outputs and the judge's samples. The benchmark uses 0. */
  seed: number
}

/** What the journal keeps of a comparison. */
export interface Judgment {
  /** From 1 (the baseline is better) to 2 (the model is); null if the judge named neither. */
  preference: number | null
  by: Verdict['by']
  /** True if the model's output was shown first. */
  switched: boolean
  /** What the judge wrote. */
  text: string
  usage: Usage
  ms: number
}

/** The result of a run of comparisons. */
export interface Judged extends TaskOutcome {
  /** One per pair, in their order; undefined if the judge failed. */
  judgments: (Judgment | undefined)[]
}

/** Number of alternatives to request with the judge's token. */
const TOP = 5

/**
 * Judges every pair that the journal does not have yet.
 * @throws UsageError if the journal has other settings, EngineError if the judge cannot work at all
 */
export async function judgeOutputs(options: JudgeOptions): Promise<Judged> {
  const { pairs, engines, judge, template, seed, generators } = options
  const header = {
    judge: engines[judge]?.id,
    template: { id: template.id, sha256: template.sha256 },
    seed,
    generators,
  }
  const { outcome, failures, ends } = await runJournaledTask<OutputPair & { id: string }, Judgment>(
    {
      task: 'alpaca-eval',
      header,
      items: pairs.map((pair) => ({ ...pair, id: String(pair.row) })),
      contentOf: ({ instruction, output, baseline }) => [instruction, output, baseline],
      setup: { kind: 'alpaca-eval', engines: [judge], judge, template, seed },
      work: (pair, { signal }) => judgePair(pair, options, signal),
    },
    options,
  )
  return { outcome, judgments: ends, failures }
}

const tie: Judgment = {
  preference: 1.5,
  by: 'equal',
  switched: false,
  text: '',
  usage: { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 0 },
  ms: 0,
}

/** Has a pair judged. */
export async function judgePair(
  { instruction, output, baseline }: OutputPair,
  { engines, judge, template, seed }: Pick<JudgeOptions, 'engines' | 'judge' | 'template' | 'seed'>,
  signal: AbortSignal,
): Promise<Judgment> {
  // As the benchmark's program does: equal outputs are a tie, and no judge is asked.
  if (output === baseline) return tie
  const switched = isSwitched(instruction, seed)
  const outputs: [string, string] = switched ? [output, baseline] : [baseline, output]
  const startMs = performance.now()
  const { text, logprobs, usage } = await completeOnce(engines[judge] as Engine, {
    messages: judgeMessages(template, { instruction, outputs }),
    sampling: { temperature: 1, topP: 1, maxTokens: 1 },
    logprobs: TOP,
    seed: hashParts(seed, 'judge', instruction) % 2 ** 31,
    signal,
  })
  const { preference, by } = readVerdict({ text, logprobs })
  const ms = Math.round(performance.now() - startMs)
  return { preference: unswitch(preference, switched), by, switched, text, usage, ms }
}

/** Estimates the tokens to judge, for a preview: a token counts as four bytes of text. */
export function boundTokens({ pairs, template }: Pick<JudgeOptions, 'pairs' | 'template'>): number {
  return pairs.reduce((sum, { instruction, output, baseline }) => {
    const messages = judgeMessages(template, { instruction, outputs: [baseline, output] })
    return sum + messages.reduce((bytes, m) => bytes + 4 + Math.ceil(Buffer.byteLength(textOf(m)) / 4), 0)
  }, 0)
}

/** Makes rows in the form of the benchmark's annotation files. @param annotator names the judge and its template */
export function toAnnotations(
  pairs: OutputPair[],
  judgments: (Judgment | undefined)[],
  { generators, annotator }: { generators: [string, string]; annotator: string },
): object[] {
  return pairs.map(({ dataset, instruction, output, baseline }, i) => {
    const judgment = judgments[i]
    return {
      ...(dataset !== undefined && { dataset }),
      instruction,
      output_1: baseline,
      generator_1: generators[0],
      output_2: output,
      generator_2: generators[1],
      annotator,
      preference: judgment?.preference ?? null,
      ...(judgment && { judged_by: judgment.by, is_switched: judgment.switched, judge_text: judgment.text }),
    }
  })
}

/** Returns the names of the baseline and of the system, in the order of annotations. */
export function namesOf(baseline: Outputs, outputs: Outputs): [string, string] {
  return [baseline.generator, outputs.generator]
}
