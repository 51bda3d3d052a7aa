import { Command, Option } from 'commander'
import { withConfig } from './config-option.js'
import type { TailFlags } from './tail/print-tail.js'
import { notes } from './help/notes.js'

/** `edgetape tail`: what is being recorded, as it comes. */
export function tailCommand(): Command {
  return withConfig(
    new Command('tail')
      .description('follow what is being recorded, until stopped')
      .argument('[channel...]', 'families, channels or their beginnings, e.g. trades or trades.BTC-PERPETUAL')
      .option('--path <folder>', 'a dataDir; needs no config file')
      .option('--instrument <name>', 'only what is about it, e.g. BTC-PERPETUAL')
      .option('--conn <name>', 'only frames of a connection, e.g. d1 or backfill')
      .option('--from <time>', 'from this time on, e.g. 2026-11-22T14:00 (UTC), or so long ago, e.g. 10m')
      .option('--table <name>', 'rows of a table in place of frames, e.g. trades')
      .addOption(new Option('--format <name>', 'of rows and frames').choices(['json', 'table']).default('json')),
  )
    .addHelpText(
      'after',
      notes(
        'Frames come when the recorder has written them (each 80 ms). Rows are made as the compactor makes them; what two connections received appears twice.',
      ),
    )
    .action(async (channels: string[], flags: TailFlags) =>
      (await import('./tail/print-tail.js')).printTail(channels, flags),
    )
}
