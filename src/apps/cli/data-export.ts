/** `aft data export`: a folder in a trainer's form. */
import { Command, Option } from 'commander'
import { exportFolder, type Trainer } from '../../dataset/export.ts'
import { toCallersError } from '../../inference/file-errors.ts'

/** The subcommand. */
export function exportCommand(): Command {
  return new Command('export')
    .description("Write a folder in a trainer's form.")
    .argument('<folder>', 'what `aft data build` made')
    .addOption(
      new Option('--to <trainer>', 'whose form')
        .choices(['trl', 'llama-factory', 'axolotl'])
        .makeOptionMandatory(),
    )
    .requiredOption('-o, --output <folder>', 'where it goes')
    .action(async (folder: string, { to, output }: { to: Trainer; output: string }) => {
      const rows = await exportFolder(folder, output, to).catch((error) => {
        throw toCallersError(error)
      })
      console.error(`${rows} rows for ${to}. See ${output}`)
    })
}
