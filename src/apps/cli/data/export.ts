/** `aft data export`: writes a data set in a trainer's form. */
import { Command, Option } from 'commander'
import { exportFolder, type Form } from '../../../data/export.ts'
import { toCallersError } from '../../../files/file-errors.ts'

/** Makes the command `aft data export`. */
export function exportCommand(): Command {
  return new Command('export')
    .argument('<folder>', 'folder that `aft data build` made')
    .addOption(
      new Option('--to <form>', 'form to write')
        .choices(['trl', 'llama-factory', 'axolotl', 'parquet'])
        .makeOptionMandatory(),
    )
    .requiredOption('-o, --output <folder>', 'folder to write')
    .addHelpText('after', '\nExample:\n  $ aft data export data --to llama-factory -o exported')
    .action(async (folder: string, { to, output }: { to: Form; output: string }) => {
      const rows = await exportFolder(folder, output, to).catch((error) => {
        throw toCallersError(error, 'Nothing of it is kept')
      })
      console.error(`${rows} rows for ${to}. See ${output}`)
    })
}
