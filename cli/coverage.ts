import { Command, Option } from 'commander'
import type { Config } from '../config/schema.js'
import { tornParquet } from '../formats/parquet-footer.js'
import { datesOfTree, requireTree } from '../formats/tree-place.js'
import { exchangeOf } from '../exchanges/registry.js'
import { EdgeError } from '../platform/edge-error.js'
import { withConfig, type ConfigOption } from './config-option.js'
import type { Question } from '../coverage/assess.js'
import type { MeasuredCoverage as Coverage } from '../coverage/measure.js'
import { exitCodes } from './exit-codes.js'
import type { Span } from '../platform/spans.js'
import type { Progress } from '../platform/progress-bar.js'

interface CoverageOptions extends ConfigOption {
  date?: string
  from?: string
  to?: string
  by?: 'hour' | 'instrument'
  json?: boolean
  markdown?: boolean
  write?: boolean
}

export function coverageCommand(): Command {
  return withConfig(
    new Command('coverage')
      .description('what was collected against what was expected: gaps, silences, and how much is there')
      .argument('[folder]', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--date <date>', 'only this day (UTC), e.g. 2026-11-22')
      .option('--from <time>', 'from this time on, e.g. 2026-11-22T14:00 (UTC)')
      .option('--to <time>', 'before this time')
      .addOption(new Option('--by <what>', 'a line for each').choices(['hour', 'instrument']))
      .option('--json', 'for programs')
      .option('--markdown', 'for documents')
      .option(
        '--write',
        'as Parquet tables coverage and coverage_hours beside the data of --date; run and serve do it daily',
      ),
  ).action(coverage)
}

async function coverage(folder: string | undefined, options: CoverageOptions): Promise<void> {
  const [{ loadConfig }, { measureCoverage }, { asJson, asMarkdown, asText }, { showProgress }] = await Promise.all([
    import('../config/load.js'),
    import('../coverage/measure.js'),
    import('./coverage/print.js'),
    import('../platform/progress-bar.js'),
  ])
  const config = folder === undefined ? loadConfig(options.config) : undefined
  if (options.write) return write(folder ?? config?.dataDir ?? '', options)
  let progress: Progress | undefined
  const root = folder ?? config?.dataDir ?? ''
  const window = await windowOf(options)
  requireTree(root)
  const result = await measureCoverage(root, {
    onTable: tables => (progress ??= showProgress('tables', tables, 'steps')).advance(1),
    window,
    by: options.by,
    expected: config && expectedOf(config),
  })
  progress?.stop()
  requireRecorded(root, result, options)
  for (const path of result.torn) {
    const { message, hint } = tornParquet(path)
    process.exitCode = exitCodes.failure
    process.stderr.write(`edgetape: ${message}; its rows are not counted\nhint: ${hint ?? ''}\n`)
  }
  const print = options.json ? asJson : options.markdown ? asMarkdown : asText
  process.stdout.write(`${print(result)}\n`)
}

/** A span in which no recorder ran, or of which nothing is known, is no span in which all was lost. */
function requireRecorded(root: string, result: Coverage, { date, from, to }: CoverageOptions): void {
  const { intervals, frames, lines, torn } = result
  const isHeard = frames.size + torn.length > 0 || lines.some(({ rows }) => rows > 0)
  if (isHeard || intervals.some(({ gap }) => gap !== 'not_recording')) return
  const when = date ?? [from && `from ${from}`, to && `to ${to}`].filter(text => text !== undefined).join(' ')
  const why = intervals[0]?.cause ?? 'no recorder ran'
  const dates = datesOfTree(root)
  throw new EdgeError('COVERAGE_NOTHING', `nothing was recorded${when === '' ? '' : ` (${when})`}: ${why}`, {
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

function requireDate(date: string): void {
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    throw new EdgeError('DATE_INVALID', `found --date ${date}, wanted a day such as 2026-11-22`)
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
