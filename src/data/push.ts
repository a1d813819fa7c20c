/** What of a data set's folder goes to the hub. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import { validateFolder } from '../files/examples.ts'
import { licenseFacts, toHubCard } from '../files/hub-card.ts'
import type { Upload } from '../lib/hub.ts'

const ROWS = /^(sft[\\/])?(train|validation)(-\d+-of-\d+)?\.jsonl$/
const KEPT = /^(sft[\\/]README\.md|template\.json|report\.html)$/

/**
 * Prepares the upload of a folder that `aft data build` made: its rows and its card. What was dropped stays here.
 * @throws UsageError or DataError for a folder that is not whole
 */
export async function prepareDataPush(folder: string, repo: string): Promise<Pick<Upload, 'files'>> {
  const { train } = await validateFolder(folder)
  if (train === 0) throw new UsageError(`${folder} has no example to train on`)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const kept = names.filter((name) => ROWS.test(name) || KEPT.test(name)).sort()
  const files = kept.map((name) => [name.replaceAll('\\', '/'), { file: path.resolve(folder, name) }])
  return { files: { 'README.md': { text: renderCard(folder, repo, train) }, ...Object.fromEntries(files) } }
}

const SIZES: [number, string][] = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
]

function renderCard(folder: string, repo: string, rows: number): string {
  const card = readFileSync(path.join(folder, 'README.md'), 'utf8')
  const license = /Licen[cs]e of the source: (.*?)\.?\n/.exec(card)?.[1]
  return toHubCard(card, {
    facts: {
      ...licenseFacts(license),
      task_categories: ['text-generation'],
      tags: ['aft', 'aggregation', 'trl'],
      size_categories: [SIZES.find(([most]) => rows < most)?.[1] ?? 'n>10M'],
    },
    sections: [
      {
        title: 'Use',
        text: `\`\`\`python
from datasets import load_dataset

rows = load_dataset("${repo}")
print(rows["train"][0]["prompt"])
\`\`\`

TRL trains on \`prompt\` and \`completion\` as they are. With \`aft\`:

\`\`\`sh
hf download ${repo} --repo-type dataset --local-dir data
aft train recipes/smollm2-135m-cpu.yaml --data data -o tuned
\`\`\``,
      },
    ],
  })
}
