import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { EXPORTED_ROWS, type ExportedRows, type Exports } from '../../exchanges/export.js'
import type { Exchange } from '../../exchanges/exchange.js'
import type { Kind } from '../../formats/partition.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { exchangesIn } from '../../coverage/account/read-facts.js'
import { spanOfTree } from '../../coverage/account/measure.js'
import { EdgeError } from '../../platform/edge-error.js'
import { timeText } from '../../platform/moment.js'
import type { Span } from '../../platform/spans.js'
import { QuerySession } from '../query/session.js'
import type { FreshSettings } from '../query/fresh-rows.js'
import { accountOfSpan, type AccountOf, type ExportAccount, type ExportGap } from './account.js'
import { writeHftBacktest } from './hftbacktest.js'
import { nautilusId, nautilusPath, NAUTILUS_TYPES, precisionOf, writeNautilus, type NautilusType } from './nautilus.js'
import { daysOf, type DayPart } from './plan.js'
import { conditionOf, dateSql } from './row-stream.js'
import { inTables, type ExportSource, type FileSpan, type ViewSource } from './source.js'
import { isGrouped, TARDIS_TYPES, tardisFileName, writeTardisCsv, type TardisType } from './tardis-csv.js'
import { writeView, type PlainFormat } from './view-files.js'
import { isExported, textGap, writeExported, type WrittenRows } from './whole-file.js'

export const EXPORT_FORMATS = ['tardis-csv', 'hftbacktest', 'nautilus', 'csv', 'parquet'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export interface ExportOptions {
  root: string
  fresh: FreshSettings | undefined
  out: string
  format: ExportFormat
  /** Kinds of files of the format; undefined: those that most people want. */
  types?: readonly string[] | undefined
  /** Of formats csv and parquet: a table, or a ready view as `name(…)`. */
  view?: string | undefined
  exchange?: string | undefined
  instruments?: readonly string[] | undefined
  kind?: string | undefined
  currency?: string | undefined
  from?: number | undefined
  to?: number | undefined
  gaps: 'refuse' | 'restart'
  signal?: AbortSignal
  note: (text: string) => void
  onFiles?: (files: number) => void
  onFile?: () => void
}

export interface ExportedFiles {
  files: number
  /** That were there, whole, of the same question. */
  known: number
  rows: number
  /** Spans that the files say nothing of. */
  gaps: number
}

/** A file to be written. */
interface Wanted extends DayPart {
  path: string
  type: string
  instruments: readonly string[] | undefined
  account: ExportAccount
  /** Beyond what the name says. */
  write: (path: string, file: FileSpan) => Promise<WrittenRows>
}

/**
 * Writes what was recorded in the form of another program: a file a day and instrument, each under its name when it is
 * whole, each with the account of its span beside it. Files that are there are not written again.
 * @throws EdgeError EXPORT_GAPS something of the span is missing, and `gaps` does not say to begin anew behind it
 */
export async function exportFiles(options: ExportOptions): Promise<ExportedFiles> {
  const { root, fresh, note } = options
  const { name, exchange } = exportedExchange(options)
  const all = spanOfTree(root)
  if (!all)
    throw new EdgeError('EXPORT_NOTHING', `${root} holds nothing that can be exported`, {
      path: root,
      hint: 'wanted a dataDir or a copy of one',
    })
  const span = { fromUs: options.from ?? all.fromUs, toUs: Math.min(options.to ?? all.toUs, Date.now() * 1000) }
  if (span.fromUs >= span.toUs)
    throw new EdgeError('EXPORT_OPTIONS', 'wanted a span that ends after it begins: --from before --to')
  const session = await QuerySession.open({ root, fresh, note })
  const onProblem = (path: string, problem: string) => note(`${path}: ${problem}`)
  const source = { root, exchange: name, names: exchange.names, session, onProblem }
  try {
    const ends = { from: options.from !== undefined, to: options.to !== undefined }
    const account = await accountOfSpan(root, name, span, ends)
    const wanted = await filesOf(options, source, exchange, span, account)
    options.onFiles?.(wanted.length)
    if (options.gaps === 'refuse') for (const file of wanted) refuseGaps(file.path, gapsWithin(file))
    return await writeAll(options, name, wanted)
  } finally {
    session.connection.closeSync()
    session.clear()
  }
}

function exportedExchange({ root, exchange: asked }: ExportOptions): { name: string; exchange: Exchange } {
  const names = exchangesIn(root)
  const name = asked ?? names.find(one => exchangeNamed(one).exports) ?? names[0]
  if (name !== undefined && names.includes(name)) return { name, exchange: exchangeNamed(name) }
  throw new EdgeError('EXPORT_NOTHING', `${root} has nothing of ${asked ?? 'any exchange'}`, {
    path: root,
    hint: names.length > 0 ? `it has ${names.join(', ')}` : 'wanted a dataDir or a copy of one',
  })
}

async function writeAll(options: ExportOptions, exchange: string, wanted: readonly Wanted[]): Promise<ExportedFiles> {
  const { format, view, instruments, kind, currency, gaps, signal, onFile } = options
  const result: ExportedFiles = { files: 0, known: 0, rows: 0, gaps: 0 }
  for (const { path, account, write, type, ...file } of wanted) {
    signal?.throwIfAborted()
    const choice = { instruments: file.instruments ?? instruments, kind, currency }
    const facts = { format, type, exchange, ...choice, ...(view !== undefined && { view }) }
    const within = gapsWithin({ account, ...file })
    const asked = JSON.stringify([facts, file.fromUs, file.toUs, within.length])
    result.gaps += within.length
    if (isExported(path, asked)) result.known++
    else {
      const advance = () => signal?.throwIfAborted()
      const about = { asked, gaps: within, recorded: account.recorded, span: file, facts }
      const { rows, unknown = [] } = await writeExported(path, about, async temporary => {
        const written = await write(temporary, { ...file, ...choice, advance })
        const lost = inRecorded(written.unknown ?? [], account, options.to)
        if (gaps === 'refuse') {
          refuseGaps(path, lost)
          refuseUncovered(path, written)
        }
        return { ...written, unknown: lost }
      })
      result.files++
      result.rows += rows
      result.gaps += unknown.length
    }
    onFile?.()
  }
  return result
}

const gapsWithin = ({ account, fromUs, toUs }: Pick<Wanted, 'account' | 'fromUs' | 'toUs'>) =>
  account.gaps.filter(gap => gap.fromUs < toUs && gap.toUs >= fromUs)

/** A book waits for its first snapshot no longer than this, µs. */
const FIRST_SNAPSHOT_US = 10_000_000

/** Between the last frame of a connection and the end of its recorder no more passes than this, µs. */
const LAST_FRAME_US = 1_000_000

/**
 * Before anything was recorded nothing is missing, nor is it until the first snapshot; nor between the end of a book and
 * that of the recording, where no end was asked for.
 */
function inRecorded(
  unknown: readonly ExportGap[],
  { recorded }: ExportAccount,
  askedToUs: number | undefined,
): ExportGap[] {
  if (!recorded) return [...unknown]
  return unknown.flatMap(gap => {
    const fromUs = Math.max(gap.fromUs, recorded.fromUs)
    const toUs = Math.min(gap.toUs, recorded.toUs)
    const isFirst = fromUs <= recorded.fromUs && toUs - fromUs < FIRST_SNAPSHOT_US
    const isLast = askedToUs === undefined && toUs >= recorded.toUs && toUs - fromUs < LAST_FRAME_US
    return fromUs >= toUs || isFirst || isLast ? [] : [{ ...gap, fromUs, toUs }]
  })
}

/** @throws EdgeError EXPORT_GAPS */
function refuseGaps(path: string, gaps: readonly ExportGap[]): void {
  const [first] = gaps
  if (!first) return
  const more = gaps.length > 1 ? `, and ${gaps.length - 1} more` : ''
  const { from, to, cause } = textGap(first)
  throw new EdgeError('EXPORT_GAPS', `${path} would have a gap from ${from} to ${to} (${cause})${more}`, {
    path,
    hint: '--gaps restart leaves gaps out, starts books again after them, and lists them in the account beside the file',
  })
}

/** @throws EdgeError EXPORT_GAPS */
function refuseUncovered(path: string, { rows, uncovered = 0 }: WrittenRows): void {
  if (uncovered === 0) return
  throw new EdgeError('EXPORT_GAPS', `${uncovered} of ${rows} rows of ${path} would stand in a gap: covered is false`, {
    path,
    hint: '--gaps restart writes them as they are: what is not known is NULL; or ask without them, WHERE covered',
  })
}

/** What a file of one instrument is made from. */
type SourceOf = (instrument: string) => ExportSource

async function filesOf(
  options: ExportOptions,
  views: ViewSource,
  { exports, title }: Exchange,
  span: Span,
  account: AccountOf,
): Promise<Wanted[]> {
  const { format, out } = options
  mkdirSync(out, { recursive: true })
  if (format === 'csv' || format === 'parquet') return viewFiles(options, views, format, span, account)
  if (!exports)
    throw new EdgeError('EXPORT_NOTHING', `what files of ${format} say of ${views.exchange} is not known`, {
      path: options.root,
      hint: '--format csv and parquet take any table or view of any exchange',
    })
  const make = { options, views, exports, title, span, account }
  switch (format) {
    case 'tardis-csv':
      return tardisFiles(make)
    case 'hftbacktest':
      return perInstrument(make, ['events'], (_type, day, instrument, source) => ({
        path: join(out, `${instrument}_${day.date.replaceAll('-', '')}.npz`),
        account: both(
          account(instrument, source.exports.book.family),
          account(instrument, source.exports.rows.trades.family),
        ),
        write: (path, file) => writeHftBacktest(path, source, { ...file, instrument }),
      }))
    case 'nautilus':
      return nautilusFiles(make)
  }
}

/** What files are made by. */
interface Making {
  options: ExportOptions
  views: ViewSource
  exports: (kind: Kind) => Exports
  title: string
  span: Span
  account: AccountOf
}

/** What two families were both recorded in. */
function both(one: ExportAccount, other: ExportAccount): ExportAccount {
  return { recorded: one.recorded, gaps: [...one.gaps, ...other.gaps].sort((a, b) => a.fromUs - b.fromUs) }
}

/** Of a file with rows of several instruments. */
function accountOfThese(account: AccountOf, instruments: readonly string[] | undefined, ...families: string[]) {
  return instruments
    ? instruments.map(name => account(name, ...families)).reduce(both)
    : account(undefined, ...families)
}

type PerInstrument = (
  type: string,
  day: DayPart,
  instrument: string,
  source: ExportSource,
) => Pick<Wanted, 'path' | 'account' | 'write'>

/** Of kinds that the exchange has nothing of where an instrument is of them there is no file. */
async function perInstrument(making: Making, types: readonly string[], make: PerInstrument): Promise<Wanted[]> {
  const { options, views, exports, span, title } = making
  const sourceOf: SourceOf = instrument => ({ ...views, exports: exports(inTables(views, instrument).kind) })
  const wanted: Wanted[] = []
  for (const day of daysOf(span))
    for (const type of types)
      for (const instrument of await instrumentsOf(making, type, day)) {
        const source = sourceOf(instrument)
        if (madeOf(type, source.exports))
          wanted.push({ ...day, type, instruments: [instrument], ...make(type, day, instrument, source) })
        else if (options.types && options.instruments)
          throw new EdgeError('EXPORT_OPTIONS', `found --type ${type} of ${instrument}, which ${title} does not offer`)
      }
  return wanted
}

/** The table and family that rows of a type are made of; undefined where the exchange has none of the kind. */
function madeOf(type: string, { rows, book }: Exports): { table: string; family: string } | undefined {
  const names: Readonly<Record<string, ExportedRows>> = { trade_tick: 'trades', quote_tick: 'quotes' }
  const name = names[type] ?? EXPORTED_ROWS.find(known => known === type)
  return name === undefined ? book : rows[name]
}

const KINDS: readonly Kind[] = ['perpetual', 'future', 'option', 'spot', 'future_combo', 'option_combo']

/** Those that were named, or all of the kind and currency that have rows on the day. */
async function instrumentsOf({ options, views, exports }: Making, type: string, day: DayPart): Promise<string[]> {
  const { instruments, kind, currency } = options
  if (instruments) return [...instruments]
  const { session, names } = views
  const tables = KINDS.flatMap(one => madeOf(type, exports(one))?.table ?? [])
  const found: string[] = []
  for (const table of new Set(tables)) {
    const sql = `SELECT DISTINCT instrument_name, kind FROM "${table}"
      WHERE ${conditionOf({ ...views, instruments: undefined, kind, currency })}
        AND "date" BETWEEN ${dateSql(day.fromUs, -1)} AND ${dateSql(day.toUs, 0)} AND instrument_name IS NOT NULL
        AND recv_ts >= make_timestamptz(${day.fromUs}) AND recv_ts < make_timestamptz(${day.toUs}) ORDER BY ALL`
    const rows = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
    found.push(...rows.map(([name, of]) => names.nameOfRow?.(String(name), String(of)) ?? String(name)))
  }
  return [...new Set(found)]
}

/** @throws EdgeError EXPORT_OPTIONS */
function typesOf<T extends string>({ types }: ExportOptions, known: readonly T[], usual: readonly T[]): readonly T[] {
  if (!types) return usual
  return types.map(asked => {
    const found = known.find(type => type === asked)
    if (found) return found
    throw new EdgeError('EXPORT_OPTIONS', `found --type ${asked}, wanted one of ${known.join(', ')}`)
  })
}

async function tardisFiles(making: Making): Promise<Wanted[]> {
  const { options, views, exports, span, account, title } = making
  const types = typesOf<TardisType>(options, TARDIS_TYPES, ['trades', 'incremental_book_L2', 'quotes'])
  const nameOf = (type: TardisType, { date }: DayPart, { exports: { tardisName } }: ExportSource, symbol: string) =>
    join(options.out, tardisFileName(tardisName, type, date, symbol))
  const ofOptions = { ...views, exports: exports('option') }
  const grouped = types.filter(isGrouped).flatMap(type => {
    const made = madeOf(type, ofOptions.exports)
    if (!made) throw new EdgeError('EXPORT_OPTIONS', `found --type ${type}, which ${title} does not offer`)
    return daysOf(span).map(day => ({
      ...day,
      ...{ type, instruments: options.instruments, path: nameOf(type, day, ofOptions, 'OPTIONS') },
      account: accountOfThese(account, options.instruments, made.family),
      write: (path: string, file: FileSpan) => writeTardisCsv(path, type, ofOptions, { ...file, kind: 'option' }),
    }))
  })
  const own = types.filter(type => !isGrouped(type))
  return [
    ...(await perInstrument(making, own, (name, day, instrument, source) => {
      const type = name as TardisType
      return {
        path: nameOf(type, day, source, inTables(source, instrument).name),
        account: account(instrument, madeOf(type, source.exports)?.family ?? ''),
        write: (path, file) => writeTardisCsv(path, type, source, file),
      }
    })),
    ...grouped,
  ]
}

async function nautilusFiles(making: Making): Promise<Wanted[]> {
  const { options, account } = making
  const types = typesOf<NautilusType>(options, NAUTILUS_TYPES, NAUTILUS_TYPES)
  return perInstrument(making, types, (name, day, instrument, source) => {
    const type = name as NautilusType
    return {
      path: join(options.out, nautilusPath(type, nautilusId(source, instrument), day)),
      account: account(instrument, madeOf(type, source.exports)?.family ?? ''),
      write: async (path, file) =>
        writeNautilus(path, type, source, { ...file, instrument }, await precisionOf(source, instrument)),
    }
  })
}

function viewFiles(
  options: ExportOptions,
  source: ViewSource,
  format: PlainFormat,
  span: Span,
  account: AccountOf,
): Wanted[] {
  const { view, out, instruments } = options
  if (view === undefined)
    throw new EdgeError('EXPORT_OPTIONS', `found no --view, wanted one with --format ${format}`, {
      hint: 'a table, e.g. trades, or a ready view, e.g. "best_quotes()"',
    })
  const write = (path: string, file: FileSpan) => writeView(path, view, format, source, file)
  if (!source.session.tables.includes(view)) {
    const [name = view] = view.split('(')
    const { fromUs, toUs } = span
    const whole = { date: timeText(fromUs), fromUs, toUs, type: name.trim(), instruments }
    return [
      { ...whole, path: join(out, `${name.trim()}.${format}`), account: { recorded: undefined, gaps: [] }, write },
    ]
  }
  const exchange = exchangeNamed(source.exchange)
  const own = exchange.families.filter(({ table }) => table === view).map(({ name }) => name)
  const families = own.length > 0 ? own : [view]
  return daysOf(span).map(day => ({
    ...day,
    ...{ type: view, instruments, path: join(out, `${view}_${day.date}.${format}`) },
    account: accountOfThese(account, instruments, ...families),
    write,
  }))
}
