import { Command, Option } from 'commander'
import type { Config } from '../config/schema.js'
import { tornParquet } from '../formats/parquet-footer.js'
import { datesOfTree, requireTree } from '../formats/tree-place.js'
import { exchangeOf } from '../exchanges/registry.js'
import { EdgeError } from '../platform/edge-error.js'
import { withConfig, type ConfigOption } from './config-option.js'
import { requireDate } from './date-option.js'
import type { By } from '../coverage/account/telling.js'
import type { Question } from '../coverage/assess.js'
import type { MeasuredCoverage as Coverage } from '../coverage/measure.js'
import { exitCodes } from './exit-codes.js'
import type { Span } from '../platform/spans.js'
import type { Progress } from '../platform/progress-bar.js'

interface CoverageOptions extends ConfigOption {
  date?: string
  from?: string
  to?: string
  by?: By
  count?: boolean
  json?: boolean
  markdown?: boolean
  write?: boolean
}

export function coverageCommand(): Command {
  return withConfig(
    new Command('coverage')
      .description('whether all is there: what is missing and why, the longest first; ends with 4 where something is')
      .argument('[folder]', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--date <date>', 'only this day (UTC), e.g. 2026-11-22')
      .option('--from <time>', 'from this time on, e.g. 2026-11-22T14:00 (UTC)')
      .option('--to <time>', 'before this time')
      .addOption(new Option('--by <what>', 'a line for each').choices(['hour', 'instrument', 'channel']))
      .option('--count', 'count rows, trades and changes in the tables, too: slower, and needs Parquet')
      .option('--json', 'for programs')
      .option('--markdown', 'for documents')
      .option(
        '--write',
        'as Parquet tables coverage and coverage_hours beside the data of --date; run and serve do it daily',
      ),
  ).action(coverage)
}

/** The account, which needs no Parquet and works while everything runs. */
async function coverage(folder: string | undefined, options: CoverageOptions): Promise<void> {
  if (options.count) return counted(folder, options)
  const [{ loadConfig }, { measureAccount, spanOfTree }, { tellingOf }, { exchangeNamed }, text] = await Promise.all([
    import('../config/load.js'),
    import('../coverage/account/measure.js'),
    import('../coverage/account/telling.js'),
    import('../exchanges/registry.js'),
    import('./coverage/account-text.js'),
  ])
  const root = folder ?? loadConfig(options.config).dataDir
  if (options.write) return write(root, options)
  const asked = await windowOf(options)
  requireTree(root)
  const whole = spanOfTree(root) ?? { fromUs: 0, toUs: 0 }
  const span = {
    fromUs: Math.max(asked?.fromUs ?? 0, whole.fromUs),
    toUs: Math.min(asked?.toUs ?? Infinity, asked ? Infinity : whole.toUs),
  }
  const account = await measureAccount(root, span, Date.now() * 1000, {
    fromBegin: (asked?.fromUs ?? 0) === 0,
    upToEnd: !Number.isFinite(asked?.toUs ?? Infinity),
    tables: true,
  })
  const told = tellingOf(account, exchangeNamed, options.by)
  tellTorn(account.torn)
  if (told.isEmpty && !options.json) throw nothingRecorded(root, options, told.losses[0]?.cause)
  process.exitCode =
    told.isEmpty || account.torn.length > 0
      ? exitCodes.failure
      : told.isComplete
        ? exitCodes.success
        : exitCodes.incomplete
  const { accountJson, accountMarkdown, accountText } = text
  const shown = options.json ? accountJson(told, account) : options.markdown ? accountMarkdown(told) : accountText(told)
  process.stdout.write(`${shown}\n`)
}

/** Against what the tables hold. */
async function counted(folder: string | undefined, options: CoverageOptions): Promise<void> {
  const [{ loadConfig }, { measureCoverage }, { asJson, asMarkdown, asText }, { showProgress }] = await Promise.all([
    import('../config/load.js'),
    import('../coverage/measure.js'),
    import('./coverage/print.js'),
    import('../platform/progress-bar.js'),
  ])
  const config = folder === undefined ? loadConfig(options.config) : undefined
  let progress: Progress | undefined
  const root = folder ?? config?.dataDir ?? ''
  const window = await windowOf(options)
  requireTree(root)
  const result = await measureCoverage(root, {
    onTable: tables => (progress ??= showProgress('tables', tables, 'steps')).advance(1),
    window,
    by: options.by === 'channel' ? 'instrument' : options.by,
    expected: config && expectedOf(config),
  })
  progress?.stop()
  requireRecorded(root, result, options)
  tellTorn(result.torn)
  const print = options.json ? asJson : options.markdown ? asMarkdown : asText
  process.stdout.write(`${print(result)}\n`)
}

/** Files that are no whole Parquet files, whatever else is there. */
function tellTorn(paths: readonly string[]): void {
  for (const path of paths) {
    const { message, hint } = tornParquet(path)
    process.exitCode = exitCodes.failure
    process.stderr.write(`edgetape: ${message}; its rows are not counted\nhint: ${hint ?? ''}\n`)
  }
}

/** A span in which no recorder ran, or of which nothing is known, is no span in which all was lost. */
function requireRecorded(root: string, result: Coverage, options: CoverageOptions): void {
  const { intervals, frames, lines, torn } = result
  const isHeard = frames.size + torn.length > 0 || lines.some(({ rows }) => rows > 0)
  if (isHeard || intervals.some(({ gap }) => gap !== 'not_recording')) return
  throw nothingRecorded(root, options, intervals[0]?.cause)
}

function nothingRecorded(root: string, { date, from, to }: CoverageOptions, why = 'no recorder ran'): EdgeError {
  const when = date ?? [from && `from ${from}`, to && `to ${to}`].filter(text => text !== undefined).join(' ')
  const dates = datesOfTree(root)
  return new EdgeError('COVERAGE_NOTHING', `nothing was recorded${when === '' ? '' : ` (${when})`}: ${why}`, {
    path: root,
    hint: dates ? `${root} has files of ${dates.first} to ${dates.last}` : 'edgetape status says what runs',
  })
}

async function write(root: string, { date }: CoverageOptions): Promise<void> {
  if (date === undefined) throw new EdgeError('COVERAGE_OPTIONS', 'found --write, wanted --date with it')
  requireDate(date)
  const [{ writeCoverage }, { lowerPriority }] = await Promise.all([
    import('../coverage/write-tables.js'),
    import('../platform/low-priority.js'),
  ])
  lowerPriority()
  for (const path of await writeCoverage(root, date)) process.stdout.write(`${path}\n`)
}

async function windowOf({ date, from, to }: CoverageOptions): Promise<Span | undefined> {
  const [{ dayWindow }, { parseTimeUs }] = await Promise.all([
    import('../coverage/measure.js'),
    import('../platform/moment.js'),
  ])
  if (date !== undefined) {
    if (from !== undefined || to !== undefined)
      throw new EdgeError('COVERAGE_OPTIONS', 'found --date and --from or --to, wanted one way to say when')
    requireDate(date)
    return dayWindow(date)
  }
  if (from === undefined && to === undefined) return undefined
  const span = {
    fromUs: from === undefined ? 0 : parseTimeUs(from),
    toUs: to === undefined ? Infinity : parseTimeUs(to),
  }
  if (span.fromUs < span.toUs) return span
  throw new EdgeError('COVERAGE_OPTIONS', `found --from ${from} and --to ${to}, wanted an end behind the begin`)
}

/** What the config says is to come, of exchanges whose kinds are known. */
function expectedOf({ exchanges: [exchange] }: Config): Question['expected'] {
  return exchange && exchangeOf(exchange).settings.familiesOf?.(exchange)
}
