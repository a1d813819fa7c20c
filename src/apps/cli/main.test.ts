import { existsSync, openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'

test.each([['--help'], ['-h'], ['help']])('`aft %s` lists the commands, with examples', async (flag) => {
  const { stdout, stderr, code } = await aft([flag])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatchInlineSnapshot(`
    "Usage: aft [options] [command]

    Ask a model the same question several times, then have a model write one answer
    from the replies.

    Help:
      -h, --help     show this help
      -V, --version  show the version

    Commands:
      ask            Answer one prompt.
      chat           Talk with a model, turn by turn.
      run            Answer a file of prompts.
      work           Answer prompts of a queue, on any number of machines.
      status         Say how far the runs of a queue are.
      serve          Serve any engine over HTTP: the OpenAI and Anthropic APIs, and
                     a page.
      data           Build training data.
      train          Fine-tune a model on training data.
      eval           Measure answers on benchmarks.
      analyze        Explain answers, costs and training curves.
      demo           Show an example run, without a model.
      export         Write answers with their proposals as one file to send.
      report         Write results as one HTML page.
      plan           Say what a run will take.
      journal        Check and repair journals.
      models         List and download models.
      init           Find servers and keys, and write a config.
      doctor         Say what is missing on this machine.
      completion     Print a script that completes commands in a shell.
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
      prompt                   the prompt; if it is - or missing, standard input is
                               read

    Output:
      --json                   print the whole result as one JSON object
      --events                 print each event as a line of JSON
      --no-progress            show no progress

    Models:
      -m, --model <name>       engine that proposes, aggregates and judges: a name
                               of \`aft models\` or of the config, gguf:FILE,
                               hf:USER/REPO:QUANT, ollama:MODEL, openai:MODEL,
                               URL#MODEL, or a folder of \`aft train\` (default:
                               smollm2)
      --proposers <names>      engines that propose, separated by commas (default:
                               the model)
      --aggregators <names>    engine that aggregates, then those to ask if it
                               fails, separated by commas (default: the first
                               proposer)
      --judge <name>           engine that picks the answer, for best-of-n (default:
                               the first aggregator)
      --config <file>          names of engines, and defaults of options (default:
                               aft.config.ts, .json or .yaml in this folder, if
                               there is one)

    Plan:
      --preset <name>          a named set of options: paper (width 5, depth 2),
                               aft-fast, moa, rsa, single, or one of the config
      --strategy <name>        how layers are built and the answer is chosen (aft,
                               moa, rsa, self-consistency, best-of-n, single;
                               default: aft)
      --width <n>              proposals per layer (from 1; default: 3; for moa one
                               per proposer)
      --depth <n>              layers that aggregate, the last included; 0 asks the
                               model once, without proposals (from 0; default: 1)
      --sample <n>             proposals that each completion sees, at most the
                               width, for rsa (from 1; default: 3)
      --steps <n>              layers, the first included, for rsa (from 1; default:
                               3)
      --order <name>           order in which proposals are shown (as-sampled,
                               reversed, shuffled; default: as-sampled)
      --overflow <name>        if proposals do not fit the context: shorten them, or
                               fail (trim, refuse; default: trim)
      --schema <file>          file with the JSON schema that the answer must follow
                               (default: none)
      --stop-at-agreement <n>  skip to the answer if the proposals agree this much;
                               1 is the same words (0 to 1; default: never)
      --system <text>          system prompt, put before the conversation
      --template <name>        wording of the prompts for proposing and aggregating:
                               aft-2, aft-1 (as in the paper), a JSON file, or the
                               folder of a trained model (default: that of the
                               trained model; else aft-2, for data and eval aft-1)

    Sampling:
      --max-tokens <n>         most tokens of each completion (from 1; default: the
                               model's; in this process 1024; for models of \`aft
                               models\` 96)
      --judge-max-tokens <n>   most tokens of a judgment; the first number in it is
                               the choice, for best-of-n (from 1; default: the
                               model's)
      --temperature <n>        how much samples vary; 0 always takes the likeliest
                               token (0 to 5; default: the model's)
      --top-p <n>              sample from the likeliest tokens that make up this
                               share of the probability; the last layer uses 1 (0 to
                               1; default: the model's)
      --top-k <n>              sample from this many of the likeliest tokens (from
                               1; default: the engine's)
      --min-p <n>              drop tokens less probable than this share of the
                               likeliest one (0 to 1; default: the engine's)
      --reasoning <name>       how much models think before they write (none,
                               minimal, low, medium, high, xhigh, max; default: the
                               model's)
      --strict                 a setting that a model refuses is an error, not a
                               warning (default: off)
      --seed <n>               same seed, same samples (from 0; default: 0; for aft
                               ask a random one)

    Slow completions:
      --quorum <n>             completions of a layer that are enough to continue
                               (from 1; default: all)
      --grace-ms <ms>          after the quorum, wait this long for the others (0 to
                               2147483647; default: 5000)
      --cap-ms <ms>            stop waiting for a layer after this long (1 to
                               2147483647; default: never)

    Engines:
      --threads <n>            CPU threads of an embedded model (from 1; default:
                               one per core)
      --attention <name>       how an embedded model computes attention; another way
                               writes other texts for the same seed (flash, plain,
                               plain-bf16; default: what \`aft models measure\` found,
                               else flash)
      --lora <file>            LoRA adapter for an embedded model, a GGUF file
      --raw                    continue raw text, without a chat template: for base
                               models, embedded or at a server with /v1/completions
      --api-key-env <name>     environment variable that holds the server's key
      --timeout-ms <ms>        an attempt fails after this silence of the model's
                               server (1 to 2147483647; default: 120000; for
                               providers 300000)
      --max-retries <n>        times to repeat a failed completion (from 0; default:
                               9)
      --concurrency <n>        most completions at a time, per server or embedded
                               model (from 1; default: found for servers, from 8 to
                               256; embedded all that fit; else 8)
      --no-stream              ask servers and providers for whole answers: less
                               work per token in a batch

    Help:
      -h, --help               show this help

    Strategies:
      aft               one engine proposes, aggregates and answers
      moa               mixture of agents: several --proposers propose and aggregate
      rsa               each completion sees a random sample of the layer before
      self-consistency  the most frequent answer wins
      best-of-n         the --judge picks one
      single            the bare model

    On a terminal the proposals appear side by side, then the answer. In a pipe only
    the answer goes to standard output; standard error gets a line per layer. The
    seed is random if none is given; find it as plan.seed in --json. With --json an
    error is one object, too: {"error": {"kind", "message"}}. Exit code: 0, 1 for a
    failure, 2 for wrong usage, 130 after Ctrl-C.

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
  expect({ stderr, code }).toEqual({
    stderr: expect.stringContaining('aft data label needs -o, --output <file>'),
    code: 2,
  })
})
