/** Finds out what a Python has installed, and what is wrong with it. */
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import { readPins, run, trainerFolder } from './environment.ts'

/** The packages that the scripts import themselves. */
const needed = ['torch', 'transformers', 'trl', 'peft', 'accelerate', 'datasets', 'gguf']

/** What a Python has of the packages for training. */
export interface PythonFacts {
  python: string
  versions: Record<string, string | null>
  /** Packages that cannot be imported, with the reason; present only if imports were tried. */
  failures?: Record<string, string>
  /** Names of GPUs; present only if imports were tried. */
  devices?: string[]
}

/**
 * Asks a Python what it has installed.
 * @param options `imports` also imports the packages, which takes some seconds
 * @throws UsageError if the program does not run
 */
export async function inspectPython(python: string, { imports = false } = {}): Promise<PythonFacts> {
  const args = [path.join(trainerFolder, 'check.py'), ...(imports ? ['--import'] : []), ...needed]
  try {
    return JSON.parse((await run(python, args)).split('\n').at(-1) as string)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      throw new UsageError(`--python ${python}: there is no such program`, { cause })
    const reason = (cause as Error).message.trim().split('\n').at(-1)
    throw new UsageError(`${python} does not run: ${reason}`, { cause })
  }
}

/** Packages of the trackers that `report_to` may name, as pip knows them. */
const TRACKERS = ['tensorboard', 'trackio', 'wandb', 'mlflow', 'comet_ml', 'swanlab', 'clearml', 'neptune']

/**
 * Checks that the trackers of a recipe are installed, before a training loads its model.
 * @param reportTo `report_to` of the recipe: a name, a list of names, or nothing
 * @throws UsageError for a tracker that is missing
 */
export async function checkTrackers(python: string, reportTo: unknown): Promise<void> {
  const names = [reportTo].flat().filter((name) => TRACKERS.includes(String(name))) as string[]
  if (names.length === 0) return
  const output = await run(python, [path.join(trainerFolder, 'check.py'), ...names])
  const { versions } = JSON.parse(output.split('\n').at(-1) as string) as PythonFacts
  const missing = names.filter((name) => !versions[name])
  if (missing.length === 0) return
  const own = missing.every((name) => name === 'tensorboard' || name === 'trackio')
  const how = own
    ? 'aft train setup --trackers'
    : `install it there: ${python} -m pip install ${missing.join(' ')}`
  throw new UsageError(`report_to: ${missing.join(', ')} is not installed: ${how}`)
}

/** Lists what is wrong, a line each. Versions that differ from the pinned ones are `notes`, since they may work. */
export function judgePython({ python, versions, failures = {} }: PythonFacts): {
  problems: string[]
  notes: string[]
} {
  const pins = readPins()
  const minor = Number(python.split('.')[1] ?? 0)
  const problems = minor < 10 ? [`Python ${python} is too old: expected 3.10 or newer`] : []
  const notes: string[] = []
  for (const name of needed) {
    const version = versions[name]
    const reason = failures[name]
    if (!version) problems.push(`${name} is not installed: expected ${name}==${pins[name]}`)
    else if (reason) problems.push(`${name} ${version} cannot be imported: ${reason.split('\n')[0]}`)
    else if (version.split('+')[0] !== pins[name])
      notes.push(`${name} is ${version}; tested with ${pins[name]}`)
  }
  return { problems, notes }
}
