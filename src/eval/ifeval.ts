/** IFEval: does an answer follow instructions that a program can check? The checker is the published one, in Python. */
import { UsageError } from '../core/provider/errors.ts'
import { preparePython, runProgram } from '../lib/python-environment.ts'
import { type Row, type RowPlaces, readRows, show, wrongRow } from './row-file.ts'
import type { Question, Scores, Task } from './task.ts'

/** The evaluation harness, which has the checker. */
export const HARNESS = ['lm_eval[api,ifeval]==0.4.13']

/** Instructions whose checker splits text with NLTK's `punkt_tab`. That is a download and may be missing. */
const NEED_PUNKT = ['length_constraints:number_sentences', 'change_case:capital_word_frequency']
const WHY = "its checker needs NLTK's punkt_tab, which is not installed"

/** The Python program that checks rows with `response` from standard input. It downloads nothing. */
const CHECK = `
import json, sys
import nltk
nltk.download = lambda *a, **k: False
import langdetect
langdetect.DetectorFactory.seed = 0
try:
    nltk.data.find("tokenizers/punkt_tab")
    punkt = True
except LookupError:
    punkt = False
out = sys.stdout
sys.stdout = sys.stderr
rows = json.load(sys.stdin)
results = []
if rows:
    from lm_eval.tasks.ifeval import utils
    for row in rows:
        results.append(utils.process_results(row, [row["response"]]))
json.dump({"punkt": punkt, "results": results}, out)
`

interface Checked {
  prompt_level_strict_acc: boolean
  prompt_level_loose_acc: boolean
  inst_level_strict_acc: boolean[]
  inst_level_loose_acc: boolean[]
}

interface Target {
  key: number
  prompt: string
  instruction_id_list: string[]
  kwargs: Row[]
}

/** Makes the task IFEval. @param onLine gets the lines of the installation, which happens the first time */
export function ifeval(onLine?: (line: string) => void): Task {
  return {
    name: 'ifeval',
    metrics: ['prompt strict', 'prompt loose', 'instruction strict', 'instruction loose'],
    hasMajority: false,
    async read(file) {
      const found = await readRows(file)
      const all = found.rows.map((row, i) => readQuestion(found, row, i + 1))
      const { punkt } = await check([], onLine)
      const isRunnable = ({ target }: Question) =>
        punkt || !(target as Target).instruction_id_list.some((id) => NEED_PUNKT.includes(id))
      const questions = all.filter(isRunnable)
      const left = all.length - questions.length
      const leftOut: Record<string, number> = left > 0 ? { [WHY]: left } : {}
      return { questions, leftOut }
    },
    async score(answers) {
      const rows = answers.map(({ question, text }) => ({ ...(question.target as Target), response: text }))
      const { results } = await check(rows, onLine)
      return toScores(answers, results)
    },
  }
}

function readQuestion(of: RowPlaces, row: Row, number: number): Question {
  const { key, prompt, instruction_id_list: ids, kwargs } = row
  if (typeof prompt !== 'string' || prompt.trim() === '') {
    throw wrongRow(of, number, `expected \`prompt\` to be text, got ${show(prompt)}`)
  }
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every((id) => typeof id === 'string')) {
    throw wrongRow(of, number, `expected \`instruction_id_list\` to name instructions, got ${show(ids)}`)
  }
  if (!Array.isArray(kwargs) || kwargs.length !== ids.length) {
    throw wrongRow(of, number, `expected \`kwargs\` to have ${ids.length} entries, got ${show(kwargs)}`)
  }
  const id = String(key ?? number - 1)
  const target = { key, prompt, instruction_id_list: ids, kwargs }
  return { id, messages: [{ role: 'user', content: prompt }], target }
}

/**
 * Scores each answer. The benchmark's instruction level is the share of all instructions that are followed, and prompts
 * have one to three. So a prompt's number is its count of followed instructions divided by the mean count per prompt.
 * The mean of these numbers is that share.
 */
function toScores(answers: { question: Question }[], results: Checked[]): Scores[] {
  const counts = new Map(
    answers.map(({ question: { id, target } }) => [id, (target as Target).kwargs.length]),
  )
  const meanCount = [...counts.values()].reduce((a, b) => a + b, 0) / Math.max(1, counts.size)
  const kept = (list: boolean[]) => list.filter(Boolean).length / meanCount
  return results.map((result) => ({
    'prompt strict': Number(result.prompt_level_strict_acc),
    'prompt loose': Number(result.prompt_level_loose_acc),
    'instruction strict': kept(result.inst_level_strict_acc),
    'instruction loose': kept(result.inst_level_loose_acc),
  }))
}

async function check(
  rows: object[],
  onLine?: (line: string) => void,
): Promise<{ punkt: boolean; results: Checked[] }> {
  try {
    const python = await preparePython({ packages: HARNESS, onLine })
    const env = { HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1' }
    return JSON.parse(await runProgram([python, '-c', CHECK], { input: JSON.stringify(rows), env }))
  } catch (cause) {
    throw new UsageError(`the checker of IFEval does not run: ${(cause as Error).message}`, { cause })
  }
}
