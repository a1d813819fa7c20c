import { existsSync, openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'

test.each([['--help'], ['-h'], ['help']])('`aft %s` lists the commands, with examples', async (flag) => {
  const { stdout, stderr, code } = await aft([flag])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatchInlineSnapshot(`
    "Usage: aft [options] [command]

    Sample several proposals for a prompt, then have a model write one better answer
    from them.

    Options:
      -V, --version   output the version number
      -h, --help      display help for command

    Commands:
      ask             answer one prompt
      run             answer a file of prompts
      eval            measure answers
      analyze         explain answers, costs and training
      report          show results on one page
      data            build training data
      train           fine-tune a model on it
      serve           answer over HTTP, as OpenAI does
      models          list and pull models
      doctor          say what this machine lacks
      help [command]  display help for command

    Examples:
      $ aft ask "Why is the sky blue?"
      $ aft run prompts.jsonl -o answers.jsonl --model http://127.0.0.1:8000/v1#llama
      $ aft models
    "
  `)
})

test('`aft ask --help` explains every flag, with examples', async () => {
  const { stdout, code } = await aft(['ask', '--help'])
  expect(code).toBe(0)
  expect(stdout).toMatchInlineSnapshot(`
    "Usage: aft ask [options] [prompt...]

    Answer one prompt.

    Arguments:
      prompt                       the prompt; - or nothing reads standard input

    Models:
      -m, --model <name>           engine for every role: smollm2 (the default),
                                   gguf:FILE, hf:USER/REPO:QUANT, openai:MODEL,
                                   URL#MODEL, or a name from the config
      --proposers <names>          engines that propose, separated by commas
      --aggregator <names>         engine that aggregates, then its fallbacks
      --judge <name>               engine that picks, for best-of-n
      --config <file>              names and defaults (default: aft.config.ts, where
                                   there is one)

    Plan:
      --strategy <name>            how the layers are built (default: aft) (choices:
                                   "aft", "moa", "rsa", "self-consistency",
                                   "best-of-n", "single")
      --width <n>                  proposals a layer (default: 5)
      --depth <n>                  aggregation layers (default: 2)
      --sample <k>                 proposals that each member sees, for rsa
                                   (default: 3)
      --steps <n>                  rounds, for rsa (default: 3)
      --system <text>              system prompt
      --template <file>            wording of the roles, a JSON file
      --order <order>              how proposals are shown (choices: "as-sampled",
                                   "shuffled")
      --overflow <what>            for proposals that do not fit the context
                                   (choices: "trim", "refuse")
      --stop-at-agreement <share>  answer at once when proposals agree this much, 0
                                   to 1

    Sampling:
      --max-tokens <n>             most tokens of each completion (default: 1024)
      --temperature <t>            0 to 5 (default: 0.7)
      --top-p <p>                  0 to 1, of all layers but the last (default:
                                   0.95)
      --seed <n>                   from 0: same seed, same samples

    Stragglers:
      --quorum <n>                 completions of a layer that are enough to go on
      --grace-ms <ms>              how long the others may still take (default:
                                   5000)
      --cap-ms <ms>                most time of a layer

    Engines:
      --threads <n>                CPU threads of an embedded model
      --lora <file>                GGUF adapter for an embedded model
      --raw                        continue raw text: for base models without a chat
                                   template
      --api-key-env <name>         environment variable that holds the key
      --retries <n>                attempts in all where a failure may pass
                                   (default: 10)
      --concurrency <n>            completions in flight for each endpoint (default:
                                   8)

    Output:
      --json                       print the whole result as one JSON object
      --events                     print each event as a line of JSON

    Options:
      -h, --help                   display help for command

    On a terminal the proposals appear side by side, then the answer; in a pipe only
    the answer goes to standard output. The seed is random where none is given;
    --json has it as plan.seed. With --json a failure is one object as well:
    {"error": {"kind", "message"}}.
    Exit code: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C.

    Examples:
      $ aft ask "Why is the sky blue?"
      $ aft ask "Why is the sky blue?" --width 3 --depth 1 --max-tokens 200
      $ aft ask "Why is the sky blue?" --model http://127.0.0.1:8000/v1#llama
      $ aft ask "Why is the sky blue?" --proposers smollm2,openai:gpt-5-mini \\
          --aggregator openai:gpt-5
      $ aft ask - --json < question.txt
    "
  `)
})

test('`aft help ask` is `aft ask --help`', async () => {
  const [help, flag] = await Promise.all([aft(['help', 'ask']), aft(['ask', '--help'])])
  expect(help).toEqual(flag)
})

test('`aft --version` is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  expect(await aft(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` })
})

test.skipIf(!existsSync('/dev/full'))(
  'an output that cannot be written is an error in one line',
  async () => {
    const full = openSync('/dev/full', 'w')
    const { code, stderr } = await aft(['ask', 'Why?', '--model', 'scripted:echo'], { stdout: full })
    expect(stderr).toMatch(/^error: cannot write to standard output: ENOSPC.*\n$/)
    expect(code).toBe(1)
  },
)

test('a command within a command says what it needs, and wrong usage of it is told from a failure', async () => {
  expect((await aft(['data', 'label', '--help'])).stdout).toMatch(
    /--output <file> .* FILE\.journal;\s+required/,
  )
  const { stderr, code } = await aft(['data', 'label', 'rows.jsonl'])
  expect({ stderr, code }).toEqual({ stderr: expect.stringContaining("'-o, --output <file>' not"), code: 2 })
})
