import { Command, Option } from 'commander'
import type { CompactFlags } from './compact/convert.js'
import { withConfig } from './config-option.js'

/** `edgetape compact`: sealed segments → Parquet. Exit code 0 only where every segment was converted. */
export function compactCommand(): Command {
  return withConfig(new Command('compact'))
    .description('convert sealed raw segments to Parquet')
    .option('--once', 'convert what is there, print a summary and end')
    .option('--rebuild', 'convert every segment on disk again')
    .option('--date <date>', 'with --rebuild: only this date, YYYY-MM-DD')
    .option('--outdated', 'with --rebuild: only dates with tables of an earlier version')
    .option('--retry-quarantine', 'convert segments again that left lines in quarantine')
    .option('--rebuild-lists', 'make the lists of finished days again, from their files')
    .addOption(new Option('--order <which>', 'which of a backlog come first').choices(['oldest', 'newest']))
    .option('--json', 'print the summary as JSON')
    .action(async (flags: CompactFlags) => {
      // The recorder comes first on a small machine, while all that converts is loaded, too.
      const { lowerThreads } = await import('../platform/low-priority.js')
      lowerThreads()
      return (await import('./compact/convert.js')).convert(flags)
    })
}
