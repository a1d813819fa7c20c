/** `aft data push`: uploads a data set to the Hugging Face hub. */
import { Command } from 'commander'
import { prepareDataPush } from '../../../data/push.ts'
import { addPushFlags, type PushFlags, push } from '../push.ts'

const help = `
The token is HF_TOKEN, or that of \`hf auth login\`. Rows that were dropped are not uploaded. The card gets front matter, and
says how to load the rows.

Example:
  $ aft data push data my-name/my-rows --private`

/** Makes the command `aft data push`. */
export function pushCommand(): Command {
  const command = new Command('push').argument('<folder>', 'folder that `aft data build` made')
  return addPushFlags(command)
    .addHelpText('after', help)
    .action((folder: string, repo: string, flags: PushFlags) =>
      push(repo, 'dataset', flags, () => prepareDataPush(folder, repo)),
    )
}
