import { Command, InvalidArgumentError, Option } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'
import { FORMATS, type Format } from './book/formats.js'
import { nonNegativeNumber } from './number-options.js'
import { notes } from './help/notes.js'

interface BookFlags extends ConfigOption {
  at?: string
  every?: number
  from?: string
  to?: string
  top?: number
  channel?: string
  exchange?: string
  path?: string
  source?: 'raw' | 'parquet'
  format?: Format
  json?: boolean
  out?: string
}

/** `edgetape book`: the order book of an instrument, at a moment or sampled over a span. */
export function bookCommand(): Command {
  return withConfig(
    new Command('book')
      .description(
        'the order book of an instrument, put together from its changes: at a moment, or sampled over a span',
      )
      .argument('<instrument>', 'e.g. BTC-PERPETUAL')
      .option('--at <time>', 'the whole book at this time, e.g. 2026-11-22T14:00:05.25 (UTC)')
      .option('--every <ms>', 'a row every so many ms, with --from and --to', positiveNumber)
      .option('--from <time>', 'first row')
      .option('--to <time>', 'end before this time')
      .option('--top <n>', 'levels of each side; with --every 5 where nothing is said', positiveInteger)
      .option('--channel <name>', 'e.g. book.BTC-PERPETUAL.100ms; default: the finest that was recorded')
      .option('--exchange <name>', 'whose book; default: of what is recorded, the one that has such an instrument')
      .option('--path <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .addOption(new Option('--source <kind>', 'read only these').choices(['raw', 'parquet']))
      .addOption(new Option('--format <name>', 'of the rows; default: what --out ends in, else table').choices(FORMATS))
      .option('--json', 'the same as --format json: an object a row')
      .option('--out <file>', 'write to a file: .csv, .json or .parquet'),
  )
    .addHelpText(
      'after',
      notes(
        'A moment’s book has every frame received up to then. After a missing frame, a gap or the end of a recording it is unknown until the next snapshot: its columns are empty, and the reason is printed.',
      ),
    )
    .action(async (instrument: string, { config, path, ...flags }: BookFlags) => {
      const [{ printBook }, { loadConfig }] = await Promise.all([
        import('./book/print-book.js'),
        import('../config/load.js'),
      ])
      await printBook({ instrument, path: path ?? loadConfig(config).dataDir, ...flags })
    })
}

function positiveNumber(text: string): number {
  const value = nonNegativeNumber(text)
  if (value === 0) throw new InvalidArgumentError('wanted a number above 0')
  return value
}

function positiveInteger(text: string): number {
  const value = positiveNumber(text)
  if (!Number.isInteger(value)) throw new InvalidArgumentError('wanted a whole number')
  return value
}
