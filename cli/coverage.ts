import { Command, Option } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { withConfig, type ConfigOption } from './config-option.js'
import { requireDate } from '../platform/utc-date.js'
import type { By } from '../coverage/account/account-summary.js'
import type { CountedTables } from '../coverage/count-tables.js'
import { exitCodes } from './exit-codes.js'
import type { Span } from '../platform/spans.js'
import type { WindowOptions } from './window-option.js'

interface CoverageOptions extends ConfigOption, WindowOptions {
  path?: string
  by?: By
  count?: boolean
  json?: boolean
  markdown?: boolean
  write?: boolean
}

export function coverageCommand(): Command {
  return withConfig(
    new Command('coverage')
      .description('what is missing and why, longest first; exit code 4 if anything is')
      .option('--path <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--date <date>', 'only this day (UTC), e.g. 2026-11-22')
      .option('--from <time>', 'from this time on, e.g. 2026-11-22T14:00 (UTC)')
      .option('--to <time>', 'before this time')
      .addOption(new Option('--by <what>', 'a line for each').choices(['hour', 'instrument', 'channel']))
      .option('--count', 'count rows, trades and changes in the tables, too: slower, and needs Parquet')
      .option('--json', 'for programs')
      .option('--markdown', 'for documents')
      .option('--write', 'write the Parquet tables coverage and coverage_hours of --date; run and serve do so daily'),
  ).action(coverage)
}

/** The account, which needs no Parquet and works while everything runs; with --count, what the tables hold besides. */
async function coverage(options: CoverageOptions, { args: [folder] }: Command): Promise<void> {
  if (folder !== undefined)
    throw new EdgeError('COVERAGE_OPTIONS', `found ${folder}, wanted options alone`, {
      hint: `give the folder with --path ${folder}`,
    })
  if (options.write) return write(options)
  const [{ measureAsked }, { summaryOf }, { exchangeNamed }, { requireTree }, text, { showProgress }, { writeLines }] =
    await Promise.all([
      import('../coverage/account/measure.js'),
      import('../coverage/account/account-summary.js'),
      import('../exchanges/registry.js'),
      import('../formats/tree-place.js'),
      import('./coverage/account-text.js'),
      import('../platform/progress-bar.js'),
      import('./output.js'),
    ])
  const root = await rootOf(options)
  const asked = await windowOf(options)
  requireTree(root)
  const progress = showProgress('journals', 0, 'steps')
  const account = await measureAsked(root, asked, undefined, progress.reach).finally(progress.stop)
  const summary = summaryOf(account, exchangeNamed, options.by)
  const counted = options.count ? await count(root, account.window, options.by) : undefined
  const torn = new Set([...account.torn, ...(counted?.torn ?? [])])
  await reportTorn(torn)
  if (summary.isEmpty && !options.json) throw await nothingRecorded(root, options, summary.losses[0]?.cause)
  process.exitCode =
    summary.isEmpty || torn.size > 0
      ? exitCodes.failure
      : summary.isComplete && text.lackOf(counted) === 0
        ? exitCodes.success
        : exitCodes.incomplete
  const { accountJson, accountMarkdown, accountText } = text
  if (options.json) await writeLines(accountJson(summary, account, counted), process.stdout)
  else if (options.markdown) await writeLines(accountMarkdown(summary, counted), process.stdout)
  else process.stdout.write(`${accountText(summary, counted)}\n`)
}

async function count(root: string, window: Span, by: By | undefined): Promise<CountedTables> {
  const [{ countTables }, { showProgress }, { parquetTables }] = await Promise.all([
    import('../coverage/count-tables.js'),
    import('../platform/progress-bar.js'),
    import('../formats/parquet-tree.js'),
  ])
  const progress = showProgress('tables', parquetTables(root).size, 'steps')
  return countTables(root, window, by, () => progress.advance(1)).finally(progress.stop)
}

/** Files that are no whole Parquet files, whatever else is there. */
async function reportTorn(paths: ReadonlySet<string>): Promise<void> {
  if (paths.size === 0) return
  const { tornParquet } = await import('../formats/parquet-footer.js')
  for (const path of paths) {
    const { message, hint } = tornParquet(path)
    process.exitCode = exitCodes.failure
    process.stderr.write(`edgetape: ${message}; its rows are not counted\nhint: ${hint ?? ''}\n`)
  }
}

async function nothingRecorded(
  root: string,
  { date, from, to }: CoverageOptions,
  cause: string | undefined,
): Promise<EdgeError> {
  const [{ datesOfTree }, { dateOf }] = await Promise.all([
    import('../formats/tree-place.js'),
    import('../platform/utc-date.js'),
  ])
  const when = date ?? [from && `from ${from}`, to && `to ${to}`].filter(text => text !== undefined).join(' ')
  const dates = datesOfTree(root)
  const today = dateOf(Date.now())
  // What is still to come is not looked at: the clock here is behind, or that of the recorder was ahead.
  const isAhead = dates !== undefined && dates.first > today
  const why = isAhead ? `it is ${today} by the clock of this machine` : (cause ?? 'no recorder ran')
  return new EdgeError('COVERAGE_NOTHING', `nothing was recorded${when === '' ? '' : ` (${when})`}: ${why}`, {
    path: root,
    hint: dates ? `${root} has files of ${dates.first} to ${dates.last}` : 'edgetape status says what runs',
  })
}

async function write(options: CoverageOptions): Promise<void> {
  const { date } = options
  if (date === undefined) throw new EdgeError('COVERAGE_OPTIONS', 'found --write, wanted --date with it')
  requireDate(date)
  // Recording comes first on a small machine, while all that measures is loaded, too.
  const { lowerPriority } = await import('../platform/low-priority.js')
  lowerPriority()
  const { writeCoverage } = await import('../coverage/write-tables.js')
  for (const path of await writeCoverage(await rootOf(options), date)) process.stdout.write(`${path}\n`)
}

const rootOf = async ({ path, config }: CoverageOptions) =>
  path ?? (await import('../config/load.js')).loadConfig(config).dataDir

async function windowOf(options: CoverageOptions): Promise<Span | undefined> {
  const [{ dayOf }, { askedWindow }] = await Promise.all([
    import('../coverage/account/measure.js'),
    import('./window-option.js'),
  ])
  const asked = askedWindow(options, 'COVERAGE_OPTIONS')
  return asked && ('date' in asked ? dayOf(asked.date) : asked.span)
}
