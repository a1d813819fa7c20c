import { expect, test } from 'vitest'
import { makeProgram } from './main.ts'

const fault = (args: string[]): Promise<string> =>
  makeProgram(args)
    .then((program) => program.parseAsync(args, { from: 'user' }))
    .then(
      () => 'none',
      (error: Error) => `${error.name}: ${error.message}`,
    )

test.each([
  ['nonsense', 'aft has no command "nonsense"; aft --help lists the commands'],
  ['help nonsense', 'aft has no command "nonsense"; aft --help lists the commands'],
  ['data help buil', 'aft data has no command "buil"; did you mean build?'],
  ['data buil', 'aft data has no command "buil"; did you mean build?'],
  ['models pul', 'aft models has no command "pul"; did you mean pull?'],
  ['models pull', 'aft models pull needs <name>: name of `aft models`, or hf:USER/REPO:QUANT'],
  ['doctor now', 'aft doctor takes no argument, got "now"'],
  ['run a b -o c', 'aft run takes only <prompts>, got "a" "b"'],
  ['run a', 'aft run needs -o, --output <file>: file for the answers, one line per prompt'],
  ['ask x --bogus', 'aft ask has no flag --bogus; aft ask --help lists the flags'],
  ['ask x --widht=3', 'aft ask has no flag --widht; did you mean --width?'],
  ['ask x --width', '--width needs a value: --width <n>'],
  ['ask x --width 1.5', '--width: expected a whole number from 1, got "1.5"'],
  [
    'ask x --order shufled',
    '--order: expected one of as-sampled, reversed, shuffled, got "shufled"; did you mean shuffled?',
  ],
  ['ask x --json --events', '--events cannot be used with --json: give one of them'],
])('`aft %s`: %s', async (line, message) => {
  expect(await fault(line.split(' '))).toBe(`UsageError: ${message}`)
})
