/** What of a run's folder, or of an exported model, goes to the hub. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import { checkpointFile } from '../files/find-checkpoint.ts'
import { licenseFacts, toHubCard } from '../files/hub-card.ts'
import { templateFile } from '../files/template-file.ts'
import { lookAt } from '../lib/file-error.ts'
import type { Upload } from '../lib/hub.ts'

/** Beside the weights, which get into the root of the repository. */
const KEPT = ['loss.svg', 'metrics.jsonl', 'eval.jsonl', checkpointFile, templateFile]
const WEIGHTS = /\.(safetensors|bin|json|jinja|model|txt|gguf)$/

/**
 * Prepares the upload of a folder of `aft train` or `aft train export`.
 * @param evaluation a table in Markdown
 * @throws UsageError for a folder without a finished model
 */
export function prepareModelPush(
  folder: string,
  repo: string,
  evaluation: string | undefined,
): Pick<Upload, 'files'> {
  const weights = existsSync(path.join(folder, 'model')) ? path.join(folder, 'model') : folder
  const list = (place: string) => (lookAt(place)?.isDirectory() ? readdirSync(place) : [])
  const found = list(weights).filter((name) => WEIGHTS.test(name))
  const isAdapter = found.includes('adapter_config.json')
  if (!isAdapter && !found.includes('config.json'))
    throw new UsageError(
      `${folder} has no finished model; expected a folder of \`aft train\` or \`aft train export\``,
    )
  const beside = list(folder).filter((name) => KEPT.includes(name) || name.endsWith('.gguf'))
  const places = [...found.map((name) => [name, weights]), ...beside.map((name) => [name, folder])]
  const files = places.map(([name, place]) => [name, { file: path.resolve(place as string, name as string) }])
  const text = renderCard(folder, { repo, isAdapter, evaluation })
  return { files: { 'README.md': { text }, ...Object.fromEntries(files) } }
}

function renderCard(
  folder: string,
  { repo, isAdapter, evaluation }: { repo: string; isAdapter: boolean; evaluation?: string },
): string {
  const file = path.join(folder, 'README.md')
  const card = existsSync(file) ? readFileSync(file, 'utf8') : `# ${repo}\n\nTrained with \`aft train\`.\n`
  const license = /License of the base: (.*?)\. Licen/.exec(card)?.[1]
  return toHubCard(card, {
    facts: {
      ...licenseFacts(license),
      library_name: isAdapter ? 'peft' : 'transformers',
      pipeline_tag: 'text-generation',
      tags: ['aft', 'aggregation', 'trl', ...(isAdapter ? ['lora'] : [])],
    },
    sections: [
      { title: 'Use', text: usage(repo, isAdapter) },
      ...(evaluation ? [{ title: 'Evaluation', text: evaluation }] : []),
    ],
  })
}

const usage = (repo: string, isAdapter: boolean) => `\`\`\`sh
hf download ${repo} --local-dir tuned
aft ask "Why is the sky blue?" --model tuned
\`\`\`

\`\`\`python
from transformers import pipeline${isAdapter ? '  # and pip install peft' : ''}

write = pipeline("text-generation", model="${repo}")
print(write([{"role": "user", "content": "Why is the sky blue?"}])[0]["generated_text"][-1]["content"])
\`\`\``
