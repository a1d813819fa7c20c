/**
 * Benchmark files from their owners, each from a fixed revision and checked by its SHA-256. They are fetched once into
 * the cache folder. After that, no network is needed.
 */
import { join } from 'node:path'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { findCacheFolder } from '../lib/cache-folder.ts'
import { readUrl, type Timeouts } from '../lib/download.ts'
import { FileError } from '../lib/file-error.ts'
import {
  type FileFacts,
  isVerified,
  type SaveOptions,
  saveVerified,
  withWorkFolder,
} from '../lib/verified-file.ts'

/** A file of a repository at one revision, and its name in the cache. */
interface OfficialFile extends FileFacts {
  owner: 'github' | 'hub'
  repo: string
  revision: string
  path: string
  license: string
}

const alpacaEval = {
  owner: 'github' as const,
  repo: 'tatsu-lab/alpaca_eval',
  revision: 'cd543a149df89434d8a54582c0151c0b945c3d20',
}
const alpacaEvalHub = {
  owner: 'hub' as const,
  repo: 'datasets/tatsu-lab/alpaca_eval',
  revision: '2edc6fad8be6b14ea7230aabfd08188da6b8b814',
  license: 'CC-BY-NC-4.0',
}
const fastChat = {
  owner: 'github' as const,
  repo: 'lm-sys/FastChat',
  revision: '0e6d3e4beaab66f4d3f93db72541a4abab8af28d',
  license: 'Apache-2.0',
}
const judgeData = 'fastchat/llm_judge/data'

/** Official files by benchmark and purpose. Each benchmark has its own folder in the cache. */
export const officialFiles = {
  'alpaca-eval': {
    'judge-template': {
      ...alpacaEval,
      license: 'Apache-2.0',
      file: 'alpaca_eval_clf.txt',
      bytes: 1398,
      path: 'src/alpaca_eval/evaluators_configs/alpaca_eval_clf_gpt4_turbo/alpaca_eval_clf.txt',
      sha256: '784227e6dc2832fc08c43d2c8ea3a308e7523780187a1aaad2f85e30bac85f62',
    },
    baseline: {
      ...alpacaEval,
      license: 'CC-BY-NC-4.0',
      file: 'gpt4_1106_preview.json',
      bytes: 1_899_765,
      path: 'results/gpt4_1106_preview/model_outputs.json',
      sha256: '83db546b872ddebee8965fd05fa48461ee3c32bc695c62fb57f2d214ff741ec4',
    },
    gamed: {
      ...alpacaEvalHub,
      file: 'df_gamed.csv',
      path: 'df_gamed.csv',
      sha256: '97aeec3f1c7de6dee6fd31fe66f1702623f4614c3efe1c6fc5f4927cd5fd674d',
    },
    'instruction-difficulty': {
      ...alpacaEvalHub,
      file: 'instruction_difficulty.csv',
      path: 'instruction_difficulty.csv',
      sha256: 'e28d875bb334f75e17acd1e4ed659b261860e3db379cf5de29060301bed0a18b',
    },
  },
  'mt-bench': {
    questions: {
      ...fastChat,
      file: 'question.jsonl',
      bytes: 48_929,
      path: `${judgeData}/mt_bench/question.jsonl`,
      sha256: '119565adbab82227089cefdb44c8d7e2cf04dc0a0ec233634c82e7d4e2a944f7',
    },
    references: {
      ...fastChat,
      file: 'reference-gpt-4.jsonl',
      bytes: 51_109,
      path: `${judgeData}/mt_bench/reference_answer/gpt-4.jsonl`,
      sha256: 'f957a5bc977badb66885ec970e6cd08527845780313f0995764260e5777b9b3f',
    },
    prompts: {
      ...fastChat,
      file: 'judge_prompts.jsonl',
      bytes: 10_449,
      path: `${judgeData}/judge_prompts.jsonl`,
      sha256: 'fd283293406d024f44c174b094ef48031d0687a4682fd3a56b29b138f80281b6',
    },
  },
  gsm8k: {
    questions: {
      owner: 'github',
      repo: 'openai/grade-school-math',
      license: 'MIT',
      file: 'test.jsonl',
      revision: '3101c7d5072418e28b9008a6636bde82a006892c',
      path: 'grade_school_math/data/test.jsonl',
      bytes: 749_738,
      sha256: '3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14',
    },
  },
  ifeval: {
    questions: {
      owner: 'github',
      repo: 'google-research/google-research',
      license: 'Apache-2.0',
      revision: '19638399cc9e03623c5b9087a1d6fa8813974ce9',
      file: 'input_data.jsonl',
      path: 'instruction_following_eval/data/input_data.jsonl',
      bytes: 207_111,
      sha256: '67ffeee0fcb87c317c5b08a2de85557b4a7e96ada6178aa645b4954fe4b53d49',
    },
  },
} satisfies Record<string, Record<string, OfficialFile>>

/** A benchmark that has official files. */
export type Benchmark = keyof typeof officialFiles

/** Options of a fetch. */
export interface OfficialOptions extends Omit<SaveOptions, 'label'>, Timeouts {
  env?: NodeJS.ProcessEnv
}

/** Returns the cache folder of a benchmark's files. */
export function findOfficialFolder(benchmark: Benchmark, env?: NodeJS.ProcessEnv): string {
  return join(findCacheFolder(env), 'benchmarks', benchmark)
}

/**
 * Returns the path of a benchmark's file, and fetches the file if it is missing.
 * @throws DataError if it cannot be fetched, with the reason, the address, and the path to put it by hand; UsageError if
 * the cache folder cannot be written; after an abort, the signal's reason
 */
export async function fetchOfficial<B extends Benchmark>(
  benchmark: B,
  what: keyof (typeof officialFiles)[B] & string,
  options: OfficialOptions = {},
): Promise<string> {
  const facts = (officialFiles[benchmark] as Record<string, OfficialFile>)[what] as OfficialFile
  const folder = findOfficialFolder(benchmark, options.env)
  const path = join(folder, facts.file)
  if (await isVerified(path, facts)) return path
  const url = urlOf(facts, options.env)
  const label = `${benchmark} ${facts.file}`
  try {
    return await withWorkFolder(folder, (work) =>
      saveVerified(readUrl(url, options), { folder, work }, facts, { ...options, label }),
    )
  } catch (error) {
    options.signal?.throwIfAborted()
    if (error instanceof FileError) {
      throw new UsageError(`${error.message}; AFT_CACHE_DIR names another folder`, { cause: error })
    }
    throw new DataError(path, undefined, explainFailure(benchmark, facts, url, reasonOf(error)))
  }
}

/** Returns the folder of a benchmark and fetches its missing files. @throws as `fetchOfficial` does */
export async function fetchOfficialFolder(
  benchmark: Benchmark,
  options: OfficialOptions = {},
): Promise<string> {
  for (const what of Object.keys(officialFiles[benchmark])) {
    await fetchOfficial(benchmark, what as never, options)
  }
  return findOfficialFolder(benchmark, options.env)
}

/** Returns the address of a file. AFT_GITHUB_RAW and HF_ENDPOINT name mirrors. */
function urlOf({ owner, repo, revision, path }: OfficialFile, env: NodeJS.ProcessEnv = process.env): string {
  const [given, known, place] = {
    github: [env.AFT_GITHUB_RAW, 'https://raw.githubusercontent.com', revision],
    hub: [env.HF_ENDPOINT, 'https://huggingface.co', `resolve/${revision}`],
  }[owner] as [string | undefined, string, string]
  return `${(given || known).replace(/\/+$/, '')}/${repo}/${place}/${path}`
}

function explainFailure(
  benchmark: Benchmark,
  { file, sha256 }: OfficialFile,
  url: string,
  reason: string,
): string {
  const byHand = `download ${url} yourself (SHA-256 ${sha256}), and put it there or give its path`
  return `cannot get ${benchmark}'s ${file}: ${reason}\nCheck the connection, or ${byHand}`
}

/** Says why a fetch failed. A network error has its reason in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message
}
