/** What a provider of the AI SDK says that it left out or changed, as warnings of a completion. */
import { EngineError, redact } from '../../core/provider/errors.ts'
import { describeLeftOut, fieldNamed, isOurs } from '../upstream/refusals.ts'

/** A warning of any specification, as far as it is read. */
export interface ProviderWarning {
  type?: string
  /** Of versions 3 and 4. */
  feature?: string
  /** Of version 2, and of what is deprecated. */
  setting?: string
  tool?: { name?: string }
  details?: string
  message?: string
}

const MAX_WARNINGS = 20
const MAX_CHARS = 300

/**
 * Says in words what a provider warns of.
 * @param strict whether a setting that it does not support is an error
 * @throws EngineError of kind `refused`
 */
export function readWarnings(engine: string, warnings: unknown, strict = false): string[] {
  if (!Array.isArray(warnings)) return []
  const known = warnings.filter((warning) => typeof warning === 'object' && warning !== null)
  return known.slice(0, MAX_WARNINGS).map((warning: ProviderWarning) => {
    const text = describe(engine, warning)
    if (strict && isUnsupported(warning) && !isOurs(fieldOf(warning)))
      throw new EngineError(engine, 'refused', text)
    return text
  })
}

function isUnsupported({ type }: ProviderWarning): boolean {
  return typeof type === 'string' && type.startsWith('unsupported')
}

function fieldOf({ feature, setting }: ProviderWarning): string | undefined {
  return fieldNamed(String(feature ?? setting))
}

function describe(engine: string, warning: ProviderWarning): string {
  const { feature, setting, tool, details, message } = warning
  const field = fieldOf(warning)
  if (field !== undefined && !details && !message) return describeLeftOut(engine, field, 'has no')
  const name = String(feature ?? setting ?? (tool ? `the tool ${tool.name}` : 'a setting'))
  const words = String(details ?? message ?? `${name} is not supported`).slice(0, MAX_CHARS)
  const subject = name !== 'a setting' && !words.includes(name) ? `${name.slice(0, 100)}: ` : ''
  return redact(`${engine}: ${subject}${words}`)
}
