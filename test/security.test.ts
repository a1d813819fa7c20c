/** Each promise of SECURITY.md has a test. This table says which, and notices when one of both goes away. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** The start of a promise, and its tests: a file, and words of a title in it. */
const promises: Record<string, [file: string, title: string][]> = {
  'Keys come from': [
    ['src/engines/config.test.ts', 'a literal key is refused and not repeated'],
    ['src/apps/cli/options.test.ts', 'a wrong name of a variable is not repeated, because it may be a key'],
  ],
  'A key never appears': [
    [
      'src/apps/cli/hostile.test.ts',
      'a key is in no message, journal or answer, in whatever form a server repeats it',
    ],
    ['src/core/provider/errors.test.ts', 'in its record, also if the key became known later'],
    ['src/apps/server/keys.test.ts', 'a key of a client is hidden from then on'],
  ],
  'A client’s key of fewer': [
    ['src/apps/cli/hostile.test.ts', 'a short key of a client is refused without being shown'],
  ],
  'The trainer does not': [
    ['src/train/launch.test.ts', 'keys of engines are not in the environment of the trainer'],
  ],
  'Only the server that the user named': [
    ['src/engines/openai/endpoint.test.ts', 'with a redirect to another host is not followed'],
    ['src/engines/openai/endpoint.test.ts', 'https://llm.example.evil.example/v1'],
  ],
  'A pipe, a socket': [
    ['src/apps/cli/no-file.test.ts', '%s is refused'],
    ['src/apps/cli/no-file.test.ts', 'a build that is refused ends at once'],
  ],
  'A line, an element': [['src/apps/cli/bombs.slow.test.ts', 'a value without an end is refused']],
  'A line, an answer, an error': [
    ['src/engines/openai/answer-errors.test.ts', 'what a server may send has an end'],
    ['src/engines/openai/answer-errors.test.ts', 'an answer that is small until it is unpacked'],
    ['src/engines/openai/answer-errors.test.ts', 'the body of an error'],
  ],
  'An answer that never ends': [['src/engines/openai/answer-errors.test.ts', 'nothing but signs of life']],
  'An answer of a wrong shape': [
    ['src/apps/cli/hostile.test.ts', 'of a wrong type are a failure of the server, and no answer'],
    ['src/engines/openai/answer-errors.test.ts', 'that are nested 20,000 deep'],
  ],
  'A text of any length': [
    ['src/apps/cli/hostile.test.ts', 'a megabyte without white space is a proposal as any other'],
  ],
  'A text cannot drive the terminal': [
    ['src/apps/cli/render/sanitize.test.ts', '\\u200eb\\u200fc\\u061cd'],
    ['src/apps/cli/render/sanitize.test.ts', 'hi\\u{e0041}'],
    ['src/apps/cli/render/sanitize.test.ts', 'pass\\u200bword'],
    [
      'src/apps/cli/render/sanitize.test.ts',
      'an answer that streams one character at a time is shown as the whole',
    ],
    ['src/apps/cli/render/sanitize.test.ts', 'however a text is split, its parts are sanitized to the same'],
    ['src/apps/cli/ask.test.ts', 'hostile text stays exact in a pipe and is escaped in JSON'],
    ['src/apps/cli/ask.test.ts', 'what an error quotes cannot drive the terminal'],
  ],
  'A text cannot run': [
    ['src/apps/web/hostile.slow.test.ts', 'of a model run nothing, load nothing, and take bounded time'],
    ['src/apps/web/page.slow.test.ts', 'hostile text runs nothing, loads nothing and breaks no layout'],
  ],
  'Special tokens': [
    ['src/engines/embedded/prompt.test.ts', 'special tokens are tokens, those in a message are text'],
    ['src/engines/embedded/prompt.test.ts', 'what looks like a hiding place in a message stays as it is'],
  ],
  'It listens on loopback': [['src/apps/cli/serve.test.ts', 'keys is an error that names the flags']],
  'On loopback it answers only': [
    [
      'src/apps/server/trouble.test.ts',
      'on loopback must be this machine, or a name that the operator allows',
    ],
  ],
  'Pages of other origins': [
    ['src/apps/server/origins.test.ts', 'that is not named is refused, if it asks first'],
  ],
  'A form or plain text': [
    [
      'src/apps/server/trouble.test.ts',
      'without the content type of JSON is a 415, because pages of other sites can send one',
    ],
  ],
  'Clients do not see': [
    ['src/apps/server/names.test.ts', 'an engine has the name of its model, not its address or path'],
    ['src/apps/server/page.test.ts', 'a failure is an event without addresses'],
  ],
  'A client that sends slowly': [
    ['src/apps/server/abuse.test.ts', 'is closed if the body does not arrive'],
    ['src/apps/server/abuse.test.ts', 'that sends nothing more is closed'],
    ['src/apps/server/abuse.test.ts', 'that reads nothing is disconnected, and its calls end'],
  ],
  'A body that is too large': [
    ['src/apps/server/abuse.test.ts', 'gets a 413 for 10 MB in chunks'],
    ['src/apps/server/abuse.test.ts', 'gets a 415 for 1 MB that unpacks to 1 GB'],
    [
      'src/apps/server/abuse.test.ts',
      'generated requests cause no fault of the server and leave nothing behind',
    ],
  ],
  'No client can make the server remember': [
    ['src/apps/server/strangers.test.ts', 'a path that a client makes up is no label of the metrics'],
    ['src/apps/server/strangers.test.ts', 'a client that leaves within its body is a 499'],
    ['src/apps/server/allowance.test.ts', 'address after address does not fill the memory'],
  ],
  'A client takes at most': [
    ['src/apps/server/allowance.test.ts', 'lets 64 clients of one key take what it has, within one request'],
    ['src/apps/server/allowance.test.ts', 'lets 64 at once take no more with %s'],
    ['src/apps/server/allowance.test.ts', 'a client that leaves pays what was running'],
    [
      'src/apps/server/redis-counts.slow.test.ts',
      'four servers together let 256 clients of one key in as often as its limit says',
    ],
    ['src/apps/server/redis-counts.slow.test.ts', 'have no name in clear, and expire by themselves'],
  ],
  'A server that cannot count': [
    [
      'src/apps/server/redis-counts.test.ts',
      'a server whose Redis is gone answers 503, and lists its models',
    ],
    ['src/apps/server/redis-counts.slow.test.ts', 'if Redis is gone requests get a 503 and what runs ends'],
  ],
  'No client blocks': [['src/apps/server/queue.test.ts', 'a client with one waiting request is next']],
  'A correction of an answer': [
    ['src/apps/server/page.test.ts', 'fixes of many clients at once stand whole and once'],
    ['src/apps/cli/serve.test.ts', '%s takes no packed file'],
    ['test/every-write.slow.test.ts', '201 only for a line that is whole, and no other line is harmed'],
  ],
  'The page loads nothing': [
    [
      'src/apps/server/page.test.ts',
      'the page has a strict policy, nothing inline and nothing from elsewhere',
    ],
  ],
  'An output or a journal': [
    [
      'src/apps/cli/hostile.test.ts',
      'an output that is no file is refused before any call, by every command',
    ],
    ['src/apps/cli/hostile.test.ts', 'a device in the place of the output is still a device'],
    ['src/apps/cli/hostile.test.ts', 'a journal that is a pipe, a device or a circle of links is refused'],
    ['src/lib/write-whole.test.ts', 'a device is never replaced by a file'],
  ],
  'A link as output': [
    ['src/apps/cli/hostile.test.ts', 'a link as output stays a link, and its target gets the answers'],
  ],
  'A failed write': [
    ['test/every-write.test.ts', 'nothing is lost, torn or made twice, and each failure is said'],
    ['test/every-write.slow.test.ts', 'build in the place of an earlier data set, which is never lost'],
  ],
  'A journal with absurd': [
    [
      'src/files/journal-records.test.ts',
      'a layer that no plan has is refused before a list of that length is made',
    ],
    [
      'src/apps/cli/journal.test.ts',
      'a damaged one is refused by a run, named line by line, repaired, and resumed',
    ],
  ],
  'Forged Parquet': [
    [
      'src/files/rows/read-parquet.test.ts',
      'rows of nothing, which take no byte, are refused above a number',
    ],
    ['src/files/rows/read-parquet.test.ts', 'pages that state more than a row group may have are refused'],
    ['src/files/rows/read-parquet.test.ts', 'a file that is cut or broken is said to be, by its name'],
    [
      'src/files/rows/read-parquet.test.ts',
      'a second broken column, which no one waits for any more, ends no process',
    ],
    [
      'src/files/rows/read-parquet.test.ts',
      'a page without a size, at which the decoder goes round for ever',
    ],
    ['src/files/rows/read-parquet.test.ts', 'rows that take too much memory cost no more than that'],
    ['src/files/rows/read-parquet.slow.test.ts', 'each gives rows or a clear error in a limited time'],
  ],
  'Models of the catalog': [
    ['src/eval/official-files.test.ts', 'a file of unknown size with another digest, from the model hub'],
    ['src/engines/models/model-cache.test.ts', 'not when it is shorter'],
    ['src/engines/models/model-cache.test.ts', 'by its digest, and by its stamp from then on'],
  ],
  'A time that a timer': [['src/apps/cli/hostile.test.ts', 'above what a timer can wait is refused']],
}

const lines = read('SECURITY.md')
  .split('## What we promise')[1]
  ?.split('\n')
  .filter((line) => line.startsWith('- '))
  .map((line) => line.slice(2).replaceAll("'", '’')) as string[]

test('each promise of SECURITY.md has its tests, and each entry its promise', () => {
  const starts = Object.keys(promises)
  expect(lines.filter((line) => !starts.some((start) => line.startsWith(start)))).toEqual([])
  expect(starts.filter((start) => !lines.some((line) => line.startsWith(start)))).toEqual([])
})

test.each(Object.entries(promises))('%s …', (_, tests) => {
  for (const [file, title] of tests) {
    expect({ file, exists: existsSync(path.join(root, file)) }).toEqual({ file, exists: true })
    expect({ file, title, isThere: read(file).includes(title) }).toMatchObject({ isThere: true })
  }
})
