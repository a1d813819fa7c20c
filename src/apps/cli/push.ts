/** What `aft data push` and `aft train push` share. */
import type { Command } from 'commander'
import { redact, UsageError } from '../../core/provider/errors.ts'
import { toCallersError } from '../../files/file-errors.ts'
import { pushToHub, type Upload } from '../../lib/hub.ts'
import { watchInterrupts } from './interrupt.ts'
import { sanitize } from './render/sanitize.ts'

/** The flags of both. */
export interface PushFlags {
  private?: boolean
  dryRun?: boolean
  message?: string
}

/** Adds arguments and flags. */
export function addPushFlags(command: Command): Command {
  return command
    .argument('<repo>', 'repository on the hub, USER/NAME; it is created if it is missing')
    .option('--private', 'create the repository as a private one')
    .option('--message <text>', 'message of the commit')
    .option('--dry-run', 'print the files and the card; upload nothing')
}

/** Uploads what `prepare` found, or prints it. @throws UsageError for a wrong name, and what the hub refused */
export async function push(
  repo: string,
  type: Upload['type'],
  flags: PushFlags,
  prepare: () => Pick<Upload, 'files'> | Promise<Pick<Upload, 'files'>>,
): Promise<void> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repo)) throw new UsageError(`expected a repository USER/NAME, got ${repo}`)
  const { files } = await Promise.resolve()
    .then(prepare)
    .catch((error) => {
      throw toCallersError(error)
    })
  if (flags.dryRun) {
    const card = files['README.md'] as { text: string }
    console.log([...Object.keys(files), '', card.text].join('\n'))
    return
  }
  const upload = {
    repo,
    type,
    isPrivate: flags.private ?? false,
    files,
    message: flags.message ?? `Upload with aft`,
  }
  const onLine = (line: string) => console.error(`  ${sanitize(redact(line))}`)
  const url = await pushToHub(upload, { signal: watchInterrupts(), onLine }).catch((error: Error) => {
    throw new UsageError(`${repo} is not uploaded: ${redact(error.message)}`, { cause: error })
  })
  console.log(url)
}
