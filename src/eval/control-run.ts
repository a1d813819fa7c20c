/** Answers every question of a task with every control, and records each answer in a journal, so that a run can resume. */
import { enginesOf, type Plan } from '../core/plan.ts'
import { hashTemplate } from '../core/provider/template.ts'
import {
  keepPart,
  runJournaledTask,
  type TaskJob,
  type TaskOutcome,
  type TaskSettings,
} from '../files/task-run.ts'
import {
  aggregate,
  answerControl,
  type ControlAnswer,
  type ControlHost,
  type ControlName,
  type PlannedControl,
  type Proposals,
  type Proposed,
  proposeMore,
  samplerOf,
  takeProposals,
} from './controls.ts'
import type { Question } from './task.ts'

/** Options of a run with all controls. */
export interface ControlRun extends TaskSettings {
  task: string
  questions: Question[]
  plans: Map<PlannedControl, Plan>
  /** The rows that the plans are for, if not all. */
  controls?: ControlName[]
  host: ControlHost
}

/** One question with its proposals and the answer of each control. */
export interface Answered {
  question: Question
  proposals: Proposals
  /** The proposals, and more: as many as the aggregation has completions. Absent in journals of 0.1.0. */
  more?: Proposals
  answers: Partial<Record<PlannedControl, ControlAnswer>>
}

/** The result of a run with all controls. */
export interface RunControls extends TaskOutcome {
  answered: Answered[]
  controls?: ControlName[]
}

/**
 * Answers what the journal does not have yet. A question counts when every control has answered it.
 * @throws UsageError if the journal has other settings, EngineError if an engine cannot work at all
 */
export async function runControls(run: ControlRun): Promise<RunControls> {
  const { task, questions, plans, controls, host } = run
  const { engines, template, trainedTemplate } = host
  const header = {
    // Those of equal size follow from the others, and journals of 0.1.0 do not name them.
    plans: Object.fromEntries([...plans].filter(([name]) => !name.endsWith('-same'))),
    engines: Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, engine.id])),
    template: hashTemplate(template),
    trainedTemplate: hashTemplate(trainedTemplate),
    ...(controls && { controls }),
  }
  const { outcome, failures, ends } = await runJournaledTask<Question, Omit<Answered, 'question'>>(
    {
      task,
      header,
      items: questions,
      contentOf: ({ messages, target }) => [messages, target],
      setup: {
        kind: 'controls',
        engines: [...new Set([...plans.values()].flatMap(enginesOf))],
        plans: Object.fromEntries(plans),
        template,
        trainedTemplate,
      },
      work: (question, job) => answerQuestion(question, run, job),
    },
    run,
  )
  const answered = questions.flatMap((question, i) => (ends[i] ? [{ question, ...ends[i] }] : []))
  return { outcome, answered, failures, controls }
}

/** Samples the proposals first, then answers with all other controls at the same time. Each answer is recorded at once. */
export async function answerQuestion(
  question: Question,
  { plans, host }: Pick<ControlRun, 'plans' | 'host'>,
  job: TaskJob,
): Promise<Omit<Answered, 'question'>> {
  const { signal } = job
  const prompt = { id: question.again?.question ?? question.id, messages: question.messages }
  const seeded = (name: PlannedControl): Plan => {
    const plan = plans.get(name) as Plan
    return { ...plan, seed: plan.seed + (question.again?.seed ?? 0) }
  }
  const sampler = samplerOf(plans)
  const first = await keepPart<Proposed>(job, sampler, () => aggregate(prompt, seeded(sampler), host, signal))
  const isWide = sampler === 'majority-same'
  const width = plans.get('majority')?.layers[0]?.voices.reduce((sum, { n }) => sum + n, 0)
  const proposals = isWide ? takeProposals(first.proposals.completions, width) : first.proposals
  const planOf = (name: PlannedControl, { completions }: Proposals) => ({
    plan: seeded(name),
    proposals: completions,
  })
  const proposeSame = () =>
    keepPart<Proposed>(job, 'majority-same', () =>
      proposeMore(prompt, planOf('majority-same', proposals), host, signal),
    )
  const more = isWide ? first : plans.has('majority-same') ? proposeSame() : undefined
  const others = [...plans.keys()].filter((name) => name !== sampler && name !== 'majority-same')
  const answers = await Promise.all(
    others.map(async (name) => {
      const read = name === 'judge-same' ? ((await more)?.proposals ?? proposals) : proposals
      const over = { ...planOf(name, read), sampler: seeded(sampler) }
      return [name, await keepPart(job, name, () => answerControl(name, prompt, over, host, signal))] as const
    }),
  )
  const same = await more
  return {
    proposals,
    ...(same && { more: same.proposals }),
    answers: {
      [sampler]: first.answer,
      ...(same && { 'majority-same': same.answer }),
      ...Object.fromEntries(answers),
    },
  }
}
