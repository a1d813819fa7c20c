/** The public API of the package: re-exports, nothing else. */
export {
  type Attribution,
  attribute,
  attributeResult,
  type ResultAttribution,
} from './analyze/attribution.ts'
export { answerPrompt } from './core/aft.ts'
export type { Clock, Host } from './core/host.ts'
export type { Fallback, Judge, Layer, Plan, Prompt, Quorum, Voice } from './core/plan.ts'
export type * from './core/provider/engine.ts'
export { textOf } from './core/provider/engine.ts'
export { DataError, EngineError, type EngineErrorKind, UsageError } from './core/provider/errors.ts'
export type { Completion, Failure, Waited } from './core/provider/records.ts'
export { hashTemplate, type Template } from './core/provider/template.ts'
export type { UsageTotal } from './core/provider/usage.ts'
export type { AftEvent, LayerResult, Result } from './core/result.ts'
export { type AiSdkModel, type AiSdkOptions, fromAiSdk } from './engines/ai-sdk/ai-sdk.ts'
export { type Config, defineConfig } from './engines/config.ts'
export { type OpenOptions, openEngine, openEngines } from './engines/open.ts'
export { echo, type Reply, type Rule, type Script, scriptedEngine } from './engines/scripted/scripted.ts'
export { readTemplate } from './files/template-file.ts'
export type { Role, RoleSettings } from './plans/option-kinds.ts'
export { type OptionValues, planOptions, type StrategyName } from './plans/options.ts'
export { makePlan, type PlanOptions, strategies } from './plans/strategies.ts'
export { defaultTemplate, paperTemplate } from './plans/wordings.ts'
export { type AnswerOptions, answer, streamAnswer } from './run/answer.ts'
export { systemClock } from './run/clock.ts'
export type { RunOptions, RunSummary } from './run/run.ts'
export { runPrompts } from './run/run-later.ts'
