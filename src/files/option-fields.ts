/** The table of options as fields of a zod schema, for config files and requests. */
import { z } from 'zod'
import { findProblem } from '../plans/option-problems.ts'
import { type OptionTable, planOptions } from '../plans/options.ts'

/** Makes one optional field per option. An option's earlier name is an error that says the new one. */
export function optionFields(table: OptionTable = planOptions): Record<string, z.ZodType> {
  const fields = Object.entries(table).flatMap(([name, { kind, formerly }]) => {
    const value = z.unknown().superRefine((given, context) => {
      const problem = given === undefined ? undefined : findProblem(kind, given)
      if (!problem) return
      const { path, expected, got } = problem
      context.addIssue({ code: 'custom', path, message: `expected ${expected}`, params: { got } })
    })
    const field: [string, z.ZodType] = [name, value.optional()]
    return formerly === undefined ? [field] : [field, [formerly, renamed(name)] as [string, z.ZodType]]
  })
  return Object.fromEntries(fields)
}

/** A field that has another name now; it takes no value. */
function renamed(now: string): z.ZodOptional<z.ZodNever> {
  return z.never(`the name is now ${now}`).optional()
}

/** The names of a schema's fields, without those that have another name now. */
export function namesOf(schema: z.ZodObject): string[] {
  return Object.keys(schema.shape).filter((name) => {
    const field = schema.shape[name]
    return !(field instanceof z.ZodOptional && field.unwrap() instanceof z.ZodNever)
  })
}
