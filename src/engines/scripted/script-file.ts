/** A script in a JSON file, to try the command line without a model. */
import { z } from 'zod'
import { DataError, UsageError } from '../../core/provider/errors.ts'
import { describeIssue, inWords, parseJsonFile } from '../../files/json-file.ts'
import { readText } from '../../files/read-text.ts'
import { lookAt } from '../../lib/file-error.ts'
import { echo, type Rule, type ScriptedEngine, scriptedEngine } from './scripted.ts'

const usage = z.strictObject({
  calls: z.int().min(0).optional(),
  inputTokens: z.int().min(0).optional(),
  prefilledTokens: z.int().min(0).nullable().optional(),
  outputTokens: z.int().min(0).optional(),
  cost: z.number().min(0).optional(),
})

const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
})

const kinds = [
  'unreachable',
  'timeout',
  'server',
  'rate-limit',
  'auth',
  'billing',
  'not-found',
  'context-overflow',
  'refused',
  'missing',
] as const

const reply = z.strictObject({
  text: z.string().optional(),
  reasoning: z.string().optional(),
  toolCalls: z.array(toolCall).optional(),
  finishReason: z.enum(['stop', 'length', 'tool-calls', 'content-filter']).optional(),
  deltas: z.array(z.string()).optional(),
  delayMs: z.number().min(0).optional(),
  error: z
    .strictObject({
      kind: z.enum(kinds),
      message: z.string(),
      status: z.int().optional(),
      isRetryable: z.boolean().optional(),
    })
    .optional(),
  usage: usage.optional(),
  ms: z.number().min(0).optional(),
})

const rule = z.strictObject({
  when: z.string().optional(),
  system: z.string().optional(),
  replies: z.array(z.union([z.string(), reply])).min(1),
  pick: z.enum(['seed', 'index']).optional(),
})

const scriptFile = z.strictObject({
  rules: z.array(rule).optional(),
  /** Answers as `echo` does if no rule matches. */
  echo: z.boolean().optional(),
  delayMs: z.number().min(0).optional(),
  contextLength: z.int().min(1).optional(),
})

/**
 * Opens `echo`, or a JSON file: `{"rules": [{"when": "sky", "system": "/^2\\. /m", "replies": ["blue"]}], "echo": true,
 * "delayMs": 20, "contextLength": 2048}`, or the rules alone. A pattern between slashes is a regular expression.
 * Keeps no requests.
 * @throws UsageError if the file does not exist, DataError if it is not a script
 */
export async function openScript(name: string): Promise<ScriptedEngine> {
  const id = `scripted:${name}`
  if (name === 'echo') return scriptedEngine(echo, { id, keepRequests: false })
  const { rules = [], echo: doesEcho, ...options } = parse(name, readScript(name))
  const script = rules.map(({ when, system, ...rest }): Rule => {
    return { ...rest, when: toPattern(name, when), system: toPattern(name, system) }
  })
  if (!doesEcho) return scriptedEngine(script, { id, keepRequests: false, ...options })
  const withEcho: Rule[] = [...script, { replies: [echo] }]
  return scriptedEngine(withEcho, { id, keepRequests: false, ...options })
}

function readScript(file: string): string {
  if (!lookAt(file)) throw new UsageError(`scripted:${file}: no such file (scripted:echo needs none)`)
  return readText(file)
}

function parse(file: string, text: string): z.infer<typeof scriptFile> {
  const value = parseJsonFile(file, text)
  const script = Array.isArray(value) ? { rules: value } : value
  const { data, error } = scriptFile.safeParse(script, inWords)
  if (data) return data
  const what = 'expected a script, such as [{"when": "sky", "replies": ["Blue."]}]'
  throw new DataError(
    file,
    undefined,
    `${what}; ${describeIssue(error.issues[0] as z.core.$ZodIssue, script)}`,
  )
}

function toPattern(file: string, text: string | undefined): string | RegExp | undefined {
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/s.exec(text ?? '') ?? []
  if (source === undefined) return text
  try {
    return new RegExp(source, flags)
  } catch (error) {
    throw new DataError(file, undefined, (error as Error).message)
  }
}
