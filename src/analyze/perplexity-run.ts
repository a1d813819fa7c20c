/** Scores every case and records the scores in a journal, so that a killed run can resume. */
import type { Engine } from '../core/provider/engine.ts'
import {
  keepPart,
  runJournaledTask,
  type TaskJob,
  type TaskOutcome,
  type TaskSettings,
} from '../files/task-run.ts'
import { type CaseScore, type ScoredCase, scoreTarget, type TargetScore } from './perplexity.ts'

/** The cases to score, and the engine that scores them. */
export interface PerplexityRun extends Omit<TaskSettings, 'active'> {
  engine: Engine
  cases: ScoredCase[]
  /** How the cases were made and the engine was opened. A resumed run must have the same values. */
  made: Record<string, unknown>
}

type Scores = Record<string, TargetScore>

/** Scores what the journal does not have yet, one case at a time. @throws UsageError, EngineError */
export async function runPerplexity(run: PerplexityRun): Promise<TaskOutcome & { scored: CaseScore[] }> {
  const { engine, cases, made } = run
  const { outcome, failures, ends } = await runJournaledTask<ScoredCase, Scores>(
    {
      task: 'perplexity',
      header: { engine: engine.id, ...made },
      items: cases,
      contentOf: ({ target, prompts }) => [target, prompts],
      work: (one, job) => scoreCase(engine, one, job),
    },
    { ...run, active: 1 },
  )
  const scored = cases.flatMap(({ id, prompts }, i): CaseScore[] => {
    const end = ends[i]
    if (!end) return []
    const names = Object.keys(prompts)
    return [{ id, scores: Object.fromEntries(names.map((name) => [name, end[name] as TargetScore])) }]
  })
  return { outcome, failures, scored }
}

/** Scores one case. Each condition is recorded as soon as it is scored. */
async function scoreCase(engine: Engine, one: ScoredCase, job: TaskJob): Promise<Scores> {
  const scores: Scores = {}
  for (const [condition, prompt] of Object.entries(one.prompts)) {
    job.signal.throwIfAborted()
    scores[condition] = await keepPart(job, condition, () => scoreTarget(engine, prompt, one))
  }
  return scores
}
