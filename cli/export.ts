import { Command, Option } from 'commander'
import { parseTimeUs } from '../platform/moment.js'
import { withConfig } from './config-option.js'
import type { ExportFlags } from './export/export-tree.js'
import { notes } from './help/notes.js'

/** `edgetape export`: what was recorded in the form of another program, judged by that program's own code. */
export function exportCommand(): Command {
  return withConfig(
    new Command('export')
      .description('write the recording as files for another program, or any view as csv or parquet')
      .addOption(
        new Option('--format <name>', 'of which program')
          .choices(['tardis-csv', 'hftbacktest', 'nautilus', 'csv', 'parquet'])
          .makeOptionMandatory(),
      )
      .requiredOption('--out <folder>', 'where the files come to; what is there, whole, is not written again')
      .option('--path <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--type <names>', 'kinds of files of the format, e.g. trades,incremental_book_L2', listOf)
      .option('--view <name>', 'csv and parquet: a table, or a ready view as query takes it')
      .option('--instrument <names>', 'e.g. BTC-PERPETUAL,ETH-PERPETUAL', listOf)
      .option('--kind <name>', 'all instruments of a kind, e.g. option')
      .option('--currency <name>', 'all instruments of a currency, e.g. BTC')
      .option('--exchange <name>', 'where a tree has several')
      .option('--from <time>', 'received at this time or later, e.g. 2026-11-22T14:00 (UTC)', parseTimeUs)
      .option('--to <time>', 'received before this time', parseTimeUs)
      .addOption(
        new Option('--gaps <how>', 'what to do where something is missing')
          .choices(['refuse', 'restart'])
          .default('refuse'),
      )
      .option('--no-fresh', 'only what is in Parquet already')
      .option('--json', 'print the summary as JSON'),
  )
    .addHelpText(
      'after',
      notes(
        'A file a UTC day and instrument, under its name when it is whole, and beside it FILE.account.json: the account of its span. A span with a gap is refused unless --gaps restart: then books start again after it, and the account lists it.',
      ),
    )
    .action(async (flags: ExportFlags) => (await import('./export/export-tree.js')).exportTree(flags))
}

const listOf = (text: string) => text.split(',').filter(name => name !== '')
