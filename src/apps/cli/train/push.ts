/** `aft train push`: uploads a trained model to the Hugging Face hub. */
import { Command } from 'commander'
import { readResults } from '../../../files/result-file.ts'
import { toMarkdown } from '../../../report/markdown.ts'
import { prepareModelPush } from '../../../train/push.ts'
import { addPushFlags, type PushFlags, push } from '../push.ts'

const help = `
The token is HF_TOKEN, or that of \`hf auth login\`. The card gets front matter, says how to use the model, and with --results
has a table of its evaluation.

Example:
  $ aft train push tuned my-name/my-aggregator --results results --private`

/** Makes the command `aft train push`. */
export function pushCommand(): Command {
  const command = new Command('push')
    .description('Upload a trained model, with its card, to the Hugging Face hub.')
    .argument('<folder>', 'folder of `aft train` or `aft train export`')
  return addPushFlags(command)
    .option('--results <folders...>', 'folders of `aft eval`, for a table in the card')
    .addHelpText('after', help)
    .action((folder: string, repo: string, flags: PushFlags & { results?: string[] }) =>
      push(repo, 'model', flags, async () => prepareModelPush(folder, repo, await tableOf(flags.results))),
    )
}

async function tableOf(folders: string[] | undefined): Promise<string | undefined> {
  if (!folders) return undefined
  return toMarkdown(await Promise.all(folders.map(readResults)))
}
