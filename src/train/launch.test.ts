import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { type Launch, runTrainer, type TrainerEvent, withoutSecrets } from './launch.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-launch-'))

/** Runs a shell script in place of Python. */
function launch(script: string, onEvent: (event: TrainerEvent) => void) {
  const python = path.join(folder, 'python')
  writeFileSync(python, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const log = path.join(folder, 'log')
  const how = { processes: 1, isOffline: true, isOnCpu: true, onLine: () => {} }
  const files = { python, config: 'c', request: 'r', log }
  return runTrainer({ ...files, ...how, signal: new AbortController().signal, onEvent } satisfies Launch)
}

test('a report that is no JSON goes to the log, and the others are heard', async () => {
  const heard: string[] = []
  const lines = ['@aft {"event": "step", "gradNorm": NaN}', '@aft 3', '@aft {"event": "end", "step": 1}']
  await launch(lines.map((line) => `echo '${line}'`).join('\n'), ({ event }) => heard.push(event))
  expect(heard).toEqual(['end'])
  expect(readFileSync(path.join(folder, 'log'), 'utf8')).toContain('"gradNorm": NaN')
})

test('an error of a listener ends the trainer, and is thrown', async () => {
  const full = new Error('disk full')
  const run = launch(`echo '@aft {"event": "step"}'; exec sleep 60`, () => {
    throw full
  })
  await expect(run).rejects.toBe(full)
})

test('keys of engines are not in the environment of the trainer', () => {
  const env = {
    PATH: '/bin',
    OPENAI_API_KEY: 'k',
    AWS_SECRET_ACCESS_KEY: 'k',
    HF_TOKEN: 't',
    WANDB_API_KEY: 'w',
    KEYBOARD: 'us',
  }
  expect(withoutSecrets(env, { isOffline: false })).toEqual({
    PATH: '/bin',
    HF_TOKEN: 't',
    WANDB_API_KEY: 'w',
    KEYBOARD: 'us',
  })
  expect(withoutSecrets(env, { isOffline: true })).toEqual({
    PATH: '/bin',
    WANDB_API_KEY: 'w',
    KEYBOARD: 'us',
  })
})
