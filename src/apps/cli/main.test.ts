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

    Help:
      -h, --help     show this help
      -V, --version  show the version

    Commands:
      ask            Answer one prompt.
      run            Answer a file of prompts.
      eval           Measure answers.
      analyze        Explain answers, costs and training.
      report         Show results on one page.
      data           Build training data.
      train          Fine-tune a model on training data.
      serve          Serve any engine over HTTP: the OpenAI API and a page.
      models         List and download models.
      doctor         Say what this machine lacks.
      help           Show the help of a command.

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
      prompt                   the prompt; - or nothing reads standard input

    Output:
      --json                   print the whole result as one JSON object
      --events                 print each event as a line of JSON
      --no-progress            show no progress

    Models:
      -m, --model <name>       engine for every role: smollm2 (the default),
                               gguf:FILE, hf:USER/REPO:QUANT, openai:MODEL,
                               URL#MODEL, or a name from the config
      --proposers <names>      engines that propose (default: the model)
      --aggregators <names>    engine that aggregates, then its fallbacks (default:
                               the first proposer)
      --judge <name>           engine that picks the answer, for best-of-n (default:
                               the first aggregator)
      --config <file>          names and defaults (default: aft.config.ts, if there
                               is one)

    Plan:
      --preset <name>          options by a name: paper is 5 x 2, or a name from the
                               config
      --strategy <name>        how layers are built and the answer is taken (aft,
                               moa, rsa, self-consistency, best-of-n, single;
                               default: aft)
      --width <n>              proposals per layer (default: 3; moa: one per
                               proposer)
      --depth <n>              aggregation layers; 0 is one plain completion
                               (default: 1)
      --sample <n>             proposals that each completion sees, at most the
                               width, for rsa (default: 3)
      --steps <n>              rounds, the first included, for rsa (default: 3)
      --order <name>           order in which proposals are shown (as-sampled,
                               shuffled; default: as-sampled)
      --overflow <name>        what to do if proposals do not fit the context (trim,
                               refuse; default: trim)
      --stop-at-agreement <n>  skip the remaining layers if proposals agree this
                               much (default: never)
      --system <text>          system prompt
      --template <file>        wording of the roles, a JSON file

    Sampling:
      --max-tokens <n>         tokens of each completion, at most (default: 1024;
                               small models of the catalogue: 96)
      --judge-max-tokens <n>   tokens of a judgment, at most; its first number
                               counts, for best-of-n (default: 512)
      --temperature <n>        sampling temperature (default: 0.7)
      --top-p <n>              nucleus sampling in all layers but the last, which
                               has 1 (default: 0.95)
      --top-k <n>              sample from this many of the likeliest tokens
                               (default: the engine's)
      --min-p <n>              drop tokens below this share of the likeliest one
                               (default: the engine's)
      --seed <n>               same seed, same samples (default: 0; ask: random)

    Stragglers:
      --quorum <n>             completions of a layer that are enough to continue
                               (default: all)
      --grace-ms <ms>          wait this long for the others after the quorum
                               (default: 5000)
      --cap-ms <ms>            stop waiting for a layer after this long (default:
                               never)

    Engines:
      --threads <n>            CPU threads of an embedded model
      --lora <file>            GGUF adapter for an embedded model
      --raw                    continue raw text: for base models without a chat
                               template
      --api-key-env <name>     environment variable with the server's key
      --max-retries <n>        times to repeat a failed completion (default: 9)
      --concurrency <n>        completions in flight per endpoint (default: 8)

    Help:
      -h, --help               show this help

    On a terminal the proposals appear side by side, then the answer. In a pipe only
    the answer goes to standard output; standard error gets a line per stage. The
    seed is random if none is given; --json has it as plan.seed. With --json a
    failure is one object as well: {"error": {"kind", "message"}}. Exit code: 0, 1
    for a failure, 2 for wrong usage, 130 after Ctrl-C.

    Examples:
      $ aft ask "Why is the sky blue?"
      $ aft ask "Why is the sky blue?" --width 3 --depth 1 --max-tokens 200
      $ aft ask "Why is the sky blue?" --model http://127.0.0.1:8000/v1#llama
      $ aft ask "Why is the sky blue?" --proposers smollm2,openai:gpt-5-mini \\
          --aggregators openai:gpt-5
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
    const { code, stderr } = await aft(['ask', 'Why?', '--model', 'scripted:echo', '--no-progress'], {
      stdout: full,
    })
    expect(stderr).toMatch(/^error: cannot write to standard output: ENOSPC.*\n$/)
    expect(code).toBe(1)
  },
)

test('a subcommand says what it needs, and its wrong usage has another exit code than a failure', async () => {
  expect((await aft(['data', 'label', '--help'])).stdout).toMatch(
    /--output <file> .* FILE\.journal\s+\(required\)/,
  )
  const { stderr, code } = await aft(['data', 'label', 'rows.jsonl'])
  expect({ stderr, code }).toEqual({ stderr: expect.stringContaining("'-o, --output <file>' not"), code: 2 })
})
