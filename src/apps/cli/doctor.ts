/** `aft doctor`: what this machine lacks, a line each. */
import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import path from 'node:path'
import { styleText } from 'node:util'
import { Command } from 'commander'
import { listModels } from '../../engines/models/models.ts'
import { findCacheFolder } from '../../lib/cache-folder.ts'
import { findEnvironment, isComplete } from '../../train/environment.ts'
import { inspectPython, judgePython } from '../../train/python-facts.ts'

interface Finding {
  about: string
  /** What is right about it. */
  state?: string
  /** What is wrong, and what to do. */
  problems?: string[]
}

/** The command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Say what this machine lacks to run and to train models, a line each.')
    .option('--python <path>', 'the Python to train with')
    .action(async ({ python }: { python?: string }) => {
      let problems = 0
      for (const check of [
        checkMachine,
        checkEngine,
        checkModel,
        () => checkTrainer(python),
        checkConverter,
      ]) {
        const { about, state, problems: found = [] } = await check()
        problems += found.length
        if (found.length === 0) console.log(`${styleText('green', 'ok')}    ${about}: ${state}`)
        for (const line of found) console.log(`${styleText('red', 'wrong')} ${about}: ${line}`)
      }
      if (problems > 0) process.exitCode = 1
    })
}

const GB = 1e9

async function checkMachine(): Promise<Finding> {
  let folder = findCacheFolder()
  while (!existsSync(folder)) folder = path.dirname(folder)
  const { bavail, bsize } = statfsSync(folder)
  const free = (bavail * bsize) / GB
  const state = `${availableParallelism()} cores, ${(totalmem() / GB).toFixed(0)} GB of memory, ${free.toFixed(0)} GB free in ${folder}`
  const isFull = free < 3 && !isComplete(findEnvironment().folder)
  return {
    about: 'machine',
    state,
    problems: isFull ? [`${free.toFixed(1)} GB free in ${folder}: training takes 3 GB to set up`] : [],
  }
}

async function checkEngine(): Promise<Finding> {
  const found = await import('node-llama-cpp').then(
    () => undefined,
    (error: Error) => error.message.split('\n')[0],
  )
  const hint = 'models in this process need it: npm install node-llama-cpp'
  return { about: 'node-llama-cpp', state: 'found', problems: found ? [`${found}; ${hint}`] : [] }
}

async function checkModel(): Promise<Finding> {
  const [model] = await listModels()
  const problems = model?.isCached ? [] : ['not here: aft models pull smollm2 (98 MB; `aft ask` does it too)']
  return { about: 'smollm2', state: model?.path, problems }
}

async function checkTrainer(own: string | undefined): Promise<Finding> {
  const { folder, python } = findEnvironment()
  const about = 'trainer'
  if (own === undefined && !isComplete(folder)) return { about, problems: ['not installed: aft train setup'] }
  try {
    const facts = await inspectPython(own ?? python, { imports: true })
    const { problems, notes } = judgePython(facts)
    const devices = facts.devices?.length ? facts.devices.join(', ') : 'no GPU: training runs on the CPU'
    return { about, state: [own ?? python, `Python ${facts.python}`, devices, ...notes].join('; '), problems }
  } catch (error) {
    return { about, problems: [(error as Error).message] }
  }
}

async function checkConverter(): Promise<Finding> {
  const { converter } = findEnvironment()
  const problems = isComplete(converter) ? [] : ['not installed: aft train setup']
  return { about: 'GGUF converters', state: converter, problems }
}
