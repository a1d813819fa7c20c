/** Checks the engines that a program gives. JavaScript does not find a name or a promise in place of an engine. */
import type { Engine } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { isModel } from './ai-sdk/is-model.ts'

/** What `answer` and similar functions take: one engine, or several by name. */
export interface Given<E> {
  engine?: E
  engines?: Record<string, E>
}

/**
 * The engines of a call by their names.
 * @param nameOf the name of a single engine
 * @throws UsageError if there is none, or both fields are given
 */
export function givenEngines<E>(
  { engine, engines }: Given<E> = {},
  nameOf: (engine: E) => string,
): Record<string, E> {
  if (engine && engines) throw new UsageError('expected `engine` or `engines`, got both')
  const named = engines ?? (engine ? { [nameOf(engine)]: engine } : {})
  if (Object.keys(named).length === 0) throw new UsageError('expected `engine` or `engines`, got neither')
  return named
}

/** Checks that every value is an engine. @throws UsageError that says what to write */
export function checkEngines(engines: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(engines)) {
    if (typeof (value as Partial<Engine> | null)?.generate === 'function') continue
    throw new UsageError(
      `expected the engine "${name}" to have a function \`generate\`, got ${describe(value)}`,
    )
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `a name: write \`await openEngine("${value}")\``
  if (value instanceof Promise) return 'a promise: write `await` before it'
  return isModel(value) ? 'a model of the AI SDK: write `fromAiSdk(model)`' : typeof value
}
