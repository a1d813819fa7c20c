/** `aft data merge`: joins the parts of a data set that several machines built. */
import { statSync } from 'node:fs'
import path from 'node:path'
import { Command, Option } from 'commander'
import { buildDataset, skipRows } from '../../../data/build.ts'
import { openParts, PART_ROWS, readParts } from '../../../data/parts.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { listShards } from '../../../files/list-shards.ts'
import { needPackages } from '../../../files/optional-packages.ts'
import { readVersion } from '../../../lib/version.ts'
import { keepMemorySmall } from '../memory.ts'
import { bytes } from '../option-types.ts'
import { describeBuild, onResume, writeResult } from './build.ts'
import { type Made, optionsOf } from './build-flags.ts'

interface MergeFlags {
  output: string
  restart?: boolean
  shardSize: number
}

const help = `
The result has the same files, byte for byte, as one build of all rows. So near-duplicates that are in two parts are dropped here.

Example, with a part per machine:
  $ aft data build rows.jsonl --shard 1/2 -o part-1
  $ aft data build rows.jsonl --shard 2/2 -o part-2
  $ aft data merge part-1 part-2 -o data`

/** Makes the command `aft data merge`. */
export function mergeCommand(): Command {
  return new Command('merge')
    .argument('<parts...>', 'the folders of all parts')
    .addOption(new Option('-o, --output <folder>', 'folder for the examples').makeOptionMandatory())
    .addOption(new Option('--restart', 'replace the data set in the folder, or an interrupted merge of it'))
    .addOption(
      bytes('--shard-size <size>', 'largest file of examples; more become several files')
        .default(5e8, '500MB')
        .helpGroup('What is written:'),
    )
    .addHelpText('after', help)
    .action(merge)
}

async function merge(given: string[], flags: MergeFlags): Promise<void> {
  keepMemorySmall()
  needPackages('drawing charts')
  try {
    const { folders, made } = openParts<Made>(given)
    const built = { ...made.flags, ...flags }
    const { facts } = made
    const counts = await buildDataset({
      ...optionsOf(built, made),
      template: facts.template,
      benchmarks: [],
      target: 'gold',
      rows: (skip) => skipRows(readParts(folders), skip),
      identity: identify(folders, made, flags),
      onResume,
      writeCard: (counts, folder, namesOf) => writeResult(folder, facts, counts, namesOf),
    })
    console.error(describeBuild(counts, built))
  } catch (error) {
    throw toCallersError(error)
  }
}

/** What a merge depends on, so that only the same merge is resumed. */
function identify(folders: string[], made: Made, { shardSize }: MergeFlags) {
  const stateOf = (folder: string) =>
    listShards(folder, PART_ROWS).map((file) => {
      const { size, mtimeMs } = statSync(file)
      return [path.basename(file), size, mtimeMs]
    })
  return { ...made, 'shard size': shardSize, 'list of parts': folders.map(stateOf), version: readVersion() }
}
