/**
 * Every setting of an engine, once. The options of `openEngine`, the fields of an engine in a config, the flags, their
 * help and the docs are made from this table.
 */
import {
  address,
  choice,
  fields,
  file,
  headers,
  milliseconds,
  onOff,
  variable,
  whole,
} from '../plans/option-kinds.ts'
import type { OptionSpec, ValuesOf } from '../plans/options.ts'

/** How a model in this process computes attention: `flash` and `plain` have 16-bit floats as keys and values, the last bfloat16. */
export const attentions = ['flash', 'plain', 'plain-bf16'] as const
/** One of them. */
export type Attention = (typeof attentions)[number]

/** One row of the table. */
export interface EngineOptionSpec extends OptionSpec {
  /** Only these read it: models in this process; or they and servers. */
  readBy?: 'embedded' | 'embedded or server'
  /** It may stand in a config and in the API only. */
  hasNoFlag?: true
}

/** The table. A flag is the same name in kebab-case. */
export const engineOptions = {
  threads: {
    group: 'Engines',
    kind: whole(1),
    help: 'CPU threads of an embedded model',
    defaultText: 'one per core',
    readBy: 'embedded',
  },
  attention: {
    group: 'Engines',
    kind: choice(attentions),
    help: 'how an embedded model computes attention; another way writes other texts for the same seed',
    defaultText: 'what `aft models measure` found, else flash',
    readBy: 'embedded',
  },
  lora: {
    group: 'Engines',
    kind: file,
    help: 'LoRA adapter for an embedded model, a GGUF file',
    readBy: 'embedded',
  },
  raw: {
    group: 'Engines',
    kind: onOff,
    help: 'continue raw text, without a chat template: for base models, embedded or at a server with /v1/completions',
    readBy: 'embedded or server',
  },
  apiKeyEnv: {
    group: 'Engines',
    kind: variable,
    help: "environment variable that holds the server's key",
  },
  timeoutMs: {
    group: 'Engines',
    kind: milliseconds(1),
    help: "an attempt fails after this silence of the model's server",
    defaultText: '120000; for providers 300000',
  },
  maxRetries: {
    group: 'Engines',
    kind: whole(0),
    help: 'times to repeat a failed completion',
    defaultText: '9',
    formerly: 'retries',
  },
  concurrency: {
    group: 'Engines',
    kind: whole(1),
    help: 'most completions at a time, per server or embedded model',
    defaultText: 'found for servers, from 8 to 256; embedded all that fit; else 8',
  },
  noStream: {
    group: 'Engines',
    kind: onOff,
    help: 'ask servers and providers for whole answers: less work per token in a batch',
  },
  contextLength: {
    group: 'Engines',
    kind: whole(1),
    help: 'tokens that a prompt and its completion may have together',
    hasNoFlag: true,
  },
  baseURL: {
    group: 'Engines',
    kind: address,
    help: "the server's address, or those of several with the same model",
    hasNoFlag: true,
  },
  sessionId: {
    group: 'Engines',
    kind: onOff,
    help: 'send X-Session-ID, the same for requests that begin alike: for routers that keep them together',
    hasNoFlag: true,
  },
  dataParallelRanks: {
    group: 'Engines',
    kind: whole(1),
    help: 'send X-data-parallel-rank below this number, the same for requests that begin alike: for vLLM with data parallel',
    hasNoFlag: true,
  },
  headers: {
    group: 'Engines',
    kind: headers,
    help: 'sent with each request and never shown; a config names the variables that hold their values',
    hasNoFlag: true,
  },
  extraBody: {
    group: 'Engines',
    kind: fields,
    help: 'fields that are added to the body of each request',
    hasNoFlag: true,
  },
} as const satisfies Record<string, EngineOptionSpec>

/** The settings of an engine, by the names in the table. */
export type EngineSettings = ValuesOf<typeof engineOptions>

/** The name of a setting. */
export type EngineOptionName = keyof typeof engineOptions

/** The rows of the table that are flags. */
export const engineFlagNames = namesOf(({ hasNoFlag }) => !hasNoFlag)
/** The rows of the table that only models in this process read. */
export const embeddedNames = namesOf(({ readBy }) => readBy === 'embedded')

function namesOf(isMeant: (spec: EngineOptionSpec) => boolean): EngineOptionName[] {
  const rows = Object.entries<EngineOptionSpec>(engineOptions) as [EngineOptionName, EngineOptionSpec][]
  return rows.flatMap(([name, spec]) => (isMeant(spec) ? [name] : []))
}

/** Picks the settings of an engine from options that have others too. Those that are undefined are left out. */
export function pickSettings(options: object): EngineSettings {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) => Object.hasOwn(engineOptions, name) && value !== undefined,
    ),
  )
}
