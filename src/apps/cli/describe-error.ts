/** Words errors for a person at the command line. */
import { DataError, EngineError, redact, UsageError } from '../../core/provider/errors.ts'
import { type EngineOptionName, engineFlagNames } from '../../engines/engine-options.ts'
import { planOptions } from '../../plans/options.ts'
import { flagName } from './plan-flags.ts'
import { sanitize } from './render/sanitize.ts'

/** Says in a line or two what went wrong, without keys. AFT_DEBUG=1 shows the stack. */
export function showError(error: unknown): string {
  const stack = process.env.AFT_DEBUG && error instanceof Error ? error.stack : undefined
  return `error: ${sanitize(redact(stack ?? describe(error)))}`
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message } = error
  if (error instanceof EngineError) return `${error.engine}: ${message}`
  if (error instanceof UsageError && error.param !== undefined) return withFlagNames(message)
  const isExpected = error instanceof UsageError || error instanceof DataError || 'code' in error
  return isExpected ? message : `${message} (a fault in aft itself; AFT_DEBUG=1 shows where)`
}

/** Replaces the API's names of options by flags, because the user typed flags. */
function withFlagNames(message: string): string {
  return message.replace(/`(\w+)`/g, (all, name) => (isFlag(name) ? flagName(name) : all))
}

function isFlag(name: string): boolean {
  return Object.hasOwn(planOptions, name) || engineFlagNames.includes(name as EngineOptionName)
}
