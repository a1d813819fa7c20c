/** Headers of a config: their values may name environment variables, because keys are in no file. */
import { UsageError } from '../core/provider/errors.ts'

/** Headers with the values of the variables that they name. @throws UsageError that names a variable that is not set */
export function fillHeaders(
  entry: string,
  headers: Record<string, string>,
  env: NodeJS.ProcessEnv = process.env,
) {
  const fill = (header: string, text: string) =>
    text.replace(/\$\{(\w+)\}/g, (_, variable: string) => {
      const value = env[variable]?.trim()
      if (value) return value
      throw new UsageError(
        `the config's engines.${entry}.headers.${header}: expected a value in the environment variable ${variable}, but it is not set`,
      )
    })
  const filled = Object.entries(headers).map(([header, text]): [string, string] => [
    header,
    fill(header, text),
  ])
  return Object.fromEntries(filled)
}
