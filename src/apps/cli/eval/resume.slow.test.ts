import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { type ChatServer, startChatServer } from '../../../../test/chat-server.ts'
import { aft } from '../../../../test/command-line.ts'
import { scriptedEngine } from '../../../engines/scripted/scripted.ts'

const cwd = mkdtempSync(path.join(tmpdir(), 'eval-resume-'))
const servers: ChatServer[] = []
afterAll(() => Promise.all(servers.map((server) => server.close())))

/** A server that takes its time, and the engine's name. */
async function startJudge(replies: string[]) {
  const server = await startChatServer(scriptedEngine([{ replies }], { delayMs: 60 }))
  servers.push(server)
  return { server, model: `${server.baseURL}#m` }
}

/** Runs a command, and stops it once its journal has some lines. `read` gives the lines that are there. */
async function stop(args: string[], journal: string, lines: number, signal: NodeJS.Signals) {
  const file = path.join(cwd, journal)
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [])
  const stopped = await aft(args, {
    cwd,
    during: async (child) => {
      while (child.exitCode === null && read().length < lines) await delay(5)
      child.kill(signal)
    },
  })
  return { stopped, read }
}

/** Runs a command, kills it outright once its journal has some lines, and runs it again. */
async function killAndRun(args: string[], journal: string, lines: number) {
  const { stopped, read } = await stop(args, journal, lines, 'SIGKILL')
  expect(stopped.signal).toBe('SIGKILL')
  return { ended: await aft(args, { cwd }), lines: read().map((line) => JSON.parse(line)) }
}

/** Requests that were there before: those that the kill cut off are asked again, no others. */
function countAgain({ bodies }: ChatServer): number {
  const seen = new Set(bodies.map(({ messages, seed }) => JSON.stringify([messages, seed])))
  return bodies.length - seen.size
}

test('a killed MT-Bench run answers and grades no turn again', async () => {
  const { server, model } = await startJudge(['Good: [[7]]'])
  const write = (name: string, rows: object[]) =>
    writeFileSync(path.join(cwd, 'bench', name), rows.map((row) => JSON.stringify(row)).join('\n'))
  mkdirSync(path.join(cwd, 'bench'))
  const ids = [1, 2, 3, 4]
  write(
    'question.jsonl',
    ids.map((id) => ({ question_id: id, category: 'writing', turns: [`Write ${id}.`, 'Rewrite.'] })),
  )
  write('reference-gpt-4.jsonl', [{ question_id: 9, choices: [{ turns: ['a', 'b'] }] }])
  write(
    'judge_prompts.jsonl',
    ['single-v1', 'single-math-v1', 'single-v1-multi-turn', 'single-math-v1-multi-turn'].map((name) => ({
      name,
      system_prompt: name,
      prompt_template: '{question}{question_1}{question_2}{answer_2}',
    })),
  )
  const args = ['eval', 'mt-bench', 'bench', '--model', model, '--judge', model, '--depth', '0']
  const more = ['--judge-max-tokens', '77', '--concurrency', '1', '--json', '-o', 'mt']
  const { ended, lines } = await killAndRun([...args, ...more], 'mt/journal.jsonl', 5)
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
  const turns = readFileSync(path.join(cwd, 'mt/questions.jsonl'), 'utf8').trimEnd().split('\n')
  expect(turns.map((turn) => JSON.parse(turn).id)).toEqual(ids.flatMap((id) => [`${id}:1`, `${id}:2`]))
  expect(JSON.parse(turns[1] as string)).toMatchObject({
    prompt: 'Rewrite.',
    messages: [{ content: 'Write 1.' }, { role: 'assistant' }, { content: 'Rewrite.' }],
    answers: [{ control: 'answer', scores: { rating: 7 }, grade: 'Good: [[7]]' }],
  })
  expect(JSON.parse(ended.stdout)).toMatchObject({
    n: 4,
    both: { mean: 7, n: 8 },
    settings: { judgeMaxTokens: 77 },
  })
  const parts = lines.filter(({ type }) => type === 'part').map(({ id, name }) => `${id} ${name}`)
  expect(new Set(parts).size).toBe(parts.length)
  expect(countAgain(server)).toBeLessThanOrEqual(2) // both grades of a question are asked for at once
  const judged = server.bodies.filter(({ messages }) => String(messages[0]?.content).startsWith('single'))
  expect(new Set(judged.map((body) => body.max_tokens))).toEqual(new Set([77]))
  const other = await aft([...args, '--judge-max-tokens', '78', '-o', 'mt'], { cwd })
  expect(other.stderr).toContain('judgeMaxTokens: the journal has 77, now it is 78')

  const again = [...args, '--judge-max-tokens', '77', '--concurrency', '1', '-o', 'stopped']
  const { stopped } = await stop(again, 'stopped/journal.jsonl', 5, 'SIGINT')
  expect(stopped).toMatchObject({
    code: 130,
    stdout: '',
    stderr: expect.stringMatching(/interrupted after \d of 4, so no result is written; run the same command/),
  })
  expect(existsSync(path.join(cwd, 'stopped/result.json'))).toBe(false)
  expect(await aft(again, { cwd })).toMatchObject({ code: 0, stdout: expect.stringContaining('7') })
  expect(existsSync(path.join(cwd, 'stopped/result.json'))).toBe(true)
})

test('a killed AlpacaEval run judges no pair again', async () => {
  const { server, model } = await startJudge(['M'])
  const rows = (generator: string) =>
    Array.from({ length: 6 }, (_, i) => ({ instruction: `${i}`, output: `${generator} ${i}`, generator }))
  for (const name of ['own', 'base']) {
    writeFileSync(path.join(cwd, `${name}.json`), JSON.stringify(rows(name)))
  }
  const files = ['--outputs', 'own.json', '--baseline', 'base.json', '--judge', model]
  const args = ['eval', 'alpaca-eval', ...files, '--concurrency', '1', '--json']
  const { ended, lines } = await killAndRun(args, 'own.annotations.json.journal', 4)
  expect(ended.code).toBe(0)
  expect(JSON.parse(ended.stdout).judge).toMatchObject({ calls: 6, failed: 0 })
  expect(lines.filter(({ type }) => type === 'done')).toHaveLength(6)
  expect(countAgain(server)).toBeLessThanOrEqual(1)
})
