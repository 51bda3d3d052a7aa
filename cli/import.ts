import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { TIME_UNITS } from '../reader/import/receive-time.js'
import { withConfig } from './config-option.js'
import type { ImportFlags } from './import/import-paths.js'
import { notes } from './help/notes.js'

/** `edgetape import`: days that somebody else recorded, as if recorded here. */
export function importCommand(): Command {
  return withConfig(
    new Command('import')
      .description('turn recordings made by other programs into segments, treated like your own from then on')
      .addArgument(new Argument('<form>', 'of the lines').choices(['tardis', 'raw']))
      .argument('<path...>', 'files, plain or gzip, or folders of them, in the order of time')
      .option('--out <folder>', 'the dataDir to import into; default: that of the config')
      .option('--exchange <name>', 'whose frames they are; default: that of the config, else by their channels')
      .option('--host <name>', 'the host in names of segments; default: tardis or import')
      .option('--again', 'read all lines again, even if they were imported before')
      .option('--json', 'print the summary as JSON')
      .option('--time-field <name>', 'raw: the member with the receive time; a.b for one within another', 'time')
      .addOption(new Option('--time-unit <unit>', 'raw: of that time').choices(TIME_UNITS).default('iso'))
      .option('--frame-field <name>', 'raw: the member with the frame, as JSON or text; default: the whole line')
      .option('--where <name=value>', 'raw: only lines whose member has this value, e.g. dir=in', memberOf)
      .option('--family <name>', 'raw: the family of frames that name no channel'),
  )
    .addHelpText(
      'after',
      notes(
        'tardis: exchange-native lines as Tardis serves them, time in ISO 8601, a space, the frame; a blank line: connection lost.',
        'raw: a JSON object a line, with its time where --time-field says.',
        'Nothing is overwritten, and the same lines again add nothing. Lines that cannot be taken are counted and kept in quarantine/. Then: edgetape compact --once.',
      ),
    )
    .action(async (form: 'tardis' | 'raw', paths: string[], flags: ImportFlags) =>
      (await import('./import/import-paths.js')).importPaths(form, paths, flags),
    )
}

function memberOf(text: string): { field: string; value: string } {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('wanted NAME=VALUE, e.g. dir=in')
  return { field: text.slice(0, at), value: text.slice(at + 1) }
}
