import { Command } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { parseTimeUs } from '../platform/moment.js'
import type { MergeFlags } from './merge/print-merge.js'
import { notes } from './help/notes.js'

/** `edgetape merge`: what several recorders took, as if one had. Exit code 0 only where nothing was left out. */
export function mergeCommand(): Command {
  return new Command('merge')
    .description('merge the trees of several recorders into one, with each event once')
    .argument('<folders...>', 'dataDirs or their copies on the NAS; only read')
    .requiredOption('--out <folder>', 'the merged tree; what it has already stays, so that each day adds to it')
    .option('--from <time>', 'received at this time or later, e.g. 2026-11-22 (UTC)', parseTimeUs)
    .option('--to <time>', 'received before this time', endOf)
    .option('--config <file>', 'config file, for the settings below compact')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      notes(
        "Sealed segments come as links, or as verified copies where the tree is on another file system; then they are converted. Each event stands once in Parquet: what two recorders took both is known by the exchange's own numbers.",
      ),
    )
    .action(async (folders: string[], flags: MergeFlags) =>
      (await import('./merge/print-merge.js')).printMerge(folders, flags),
    )
}

/** It was the tree before it was a time. */
function endOf(text: string): number {
  try {
    return parseTimeUs(text)
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    throw new EdgeError('TIME_INVALID', error.message, { cause: error, hint: 'the merged tree is --out' })
  }
}
