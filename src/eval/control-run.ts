/** Every question of a task through every control, into one journal that survives its process. */
import type { Plan } from '../core/plan.ts'
import { hashTemplate } from '../core/templates.ts'
import {
  keepPart,
  runJournaledTask,
  type TaskJob,
  type TaskOutcome,
  type TaskSettings,
} from '../files/task-run.ts'
import {
  type Aggregated,
  aggregate,
  answerControl,
  type ControlAnswer,
  type ControlHost,
  type PlannedControl,
  type Proposals,
} from './controls.ts'
import type { Question } from './task.ts'

/** What a run through all controls takes. */
export interface ControlRun extends TaskSettings {
  task: string
  questions: Question[]
  plans: Map<PlannedControl, Plan>
  host: ControlHost
}

/** What the controls answered to one question. */
export interface Answered {
  question: Question
  proposals: Proposals
  answers: Partial<Record<PlannedControl, ControlAnswer>>
}

/** A run through all controls. */
export interface RunControls extends TaskOutcome {
  answered: Answered[]
}

/**
 * Answers what the journal does not hold yet. A question counts once every control has answered it.
 * @throws UsageError if the journal has other settings, EngineError if an engine cannot work at all
 */
export async function runControls(run: ControlRun): Promise<RunControls> {
  const { task, questions, plans, host } = run
  const { engines, template, trainedTemplate } = host
  const header = {
    plans: Object.fromEntries(plans),
    engines: Object.fromEntries(Object.entries(engines).map(([name, engine]) => [name, engine.id])),
    template: hashTemplate(template),
    trainedTemplate: hashTemplate(trainedTemplate),
  }
  const { outcome, failures, ends } = await runJournaledTask<Question, Omit<Answered, 'question'>>(
    {
      task,
      header,
      items: questions,
      contentOf: ({ messages, target }) => [messages, target],
      work: (question, job) => answerQuestion(question, run, job),
    },
    run,
  )
  const answered = questions.flatMap((question, i) => (ends[i] ? [{ question, ...ends[i] }] : []))
  return { outcome, answered, failures }
}

/** The aggregation first, then the other controls at once. Each answer is recorded as soon as it is there. */
async function answerQuestion(
  question: Question,
  { plans, host }: ControlRun,
  job: TaskJob,
): Promise<Omit<Answered, 'question'>> {
  const { signal } = job
  const prompt = { id: question.id, messages: question.messages }
  const plan = plans.get('aggregated') as Plan
  const { answer, proposals } = await keepPart<Aggregated>(job, 'aggregated', () =>
    aggregate(prompt, plan, host, signal),
  )
  const others = [...plans].filter(([name]) => name !== 'aggregated')
  const answers = await Promise.all(
    others.map(async ([name, plan]) => {
      const over = { plan, proposals: proposals.completions }
      return [name, await keepPart(job, name, () => answerControl(name, prompt, over, host, signal))] as const
    }),
  )
  return { proposals, answers: { aggregated: answer, ...Object.fromEntries(answers) } }
}
