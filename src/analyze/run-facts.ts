/** Reads how a training run was made from its folder: from `run.json` and `aft-model.json`, as `aft train` writes them. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'

/** Facts of a run from its folder. An unknown fact is absent. */
export interface RunFacts {
  seed?: number
  base?: string
  method?: string
  /** Which rows of the data set: `aft`, `sft` or `both`. */
  rows?: string
  learning_rate?: number
  max_steps?: number
  data_sha256?: string
  started?: string
  /** Templates of the rows, with their hashes. */
  template?: string
}

const runShape = z.looseObject({
  recipe: z.looseObject({
    seed: z.number().optional(),
    base: z.string().optional(),
    method: z.string().optional(),
    rows: z.string().optional(),
    learning_rate: z.number().optional(),
    max_steps: z.number().optional(),
  }),
  dataSha256: z.string().optional(),
  startedAt: z.string().optional(),
})
const modelShape = z.looseObject({
  templates: z.array(z.looseObject({ id: z.string(), sha256: z.string() })).min(1),
})

/** Reads the facts of a run's folder. Facts that the files do not have are absent. */
export async function readRunFacts(folder: string): Promise<RunFacts> {
  const run = await readShape(path.join(folder, 'run.json'), runShape)
  const model = await readShape(path.join(folder, 'aft-model.json'), modelShape)
  const { seed, base, method, rows, learning_rate, max_steps } = run?.recipe ?? {}
  return {
    seed,
    base,
    method,
    rows,
    learning_rate,
    max_steps,
    data_sha256: run?.dataSha256,
    started: run?.startedAt,
    template: model?.templates.map(({ id, sha256 }) => `${id}, SHA-256 ${sha256}`).join('; '),
  }
}

async function readShape<T>(file: string, shape: z.ZodType<T>): Promise<T | undefined> {
  if (!existsSync(file)) return undefined
  try {
    return shape.safeParse(JSON.parse(await readFile(file, 'utf8'))).data
  } catch {
    return undefined // the facts only explain the figures; the figures do not need them
  }
}

/** Writes the facts in one line; empty if nothing is known. */
export function describeRunFacts(facts: RunFacts): string {
  const names = { learning_rate: 'learning rate', max_steps: 'steps', data_sha256: 'data, SHA-256' } as const
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${names[name as keyof typeof names] ?? name}: ${value}`)
    .join('; ')
}
