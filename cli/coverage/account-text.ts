import { jsonPieces } from '../../platform/json-pieces.js'
import { countText } from '../../platform/figures.js'
import type { Account } from '../../coverage/account/account.js'
import type { CountedLine, CountedTables } from '../../coverage/count-tables.js'
import type { AccountSummary, Line, Loss } from '../../coverage/account/account-summary.js'
import {
  healedText,
  lengthText,
  lossText,
  notOfferedText,
  pendingText,
  sentenceOf,
  shareText,
  tradesText,
} from '../../coverage/account/wording.js'
import { fitTable } from '../fit-table.js'
import { COLUMNS, asOneLine, wrapped } from '../../platform/wrapped.js'

/** Longer lists are cut; --json has all. */
const LOSSES_SHOWN = 10
const LINES_SHOWN = 40

interface Column<Row> {
  head: string
  right?: true
  cell: (row: Row) => string
}

const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

const HOUR: Column<{ hourUs?: number }> = {
  head: 'hour',
  cell: ({ hourUs = 0 }) => new Date(hourUs / 1000).toISOString().slice(5, 13).replace('T', ' '),
}
const EXCHANGE: Column<{ exchange: string }> = { head: 'exchange', cell: ({ exchange }) => exchange }
const DATA: Column<{ data: string }> = { head: 'data', cell: ({ data }) => data }
const KIND: Column<{ kind: string }> = { head: 'kind', cell: ({ kind }) => kind }
const FIGURES: readonly Column<Line>[] = [
  { head: 'channels', right: true, cell: ({ channels }) => countText(channels) },
  { head: 'complete', right: true, cell: ({ complete }) => shareText(complete) },
  { head: 'missing', right: true, cell: ({ lostUs, channels }) => (lostUs === 0 ? '' : lengthText(lostUs / channels)) },
]
const BECAUSE: Column<Line> = { head: 'because', cell: ({ cause = '' }) => cut(cause, 30) }
const ABOUT: Column<Line> = { head: 'instrument', cell: ({ about = '' }) => cut(about, 28) }
const INSTRUMENT: Column<CountedLine> = { head: 'instrument', cell: ({ instrument = '' }) => cut(instrument, 28) }
const COUNTED: readonly Column<CountedLine>[] = [
  { head: 'instruments', right: true, cell: ({ instruments }) => countText(instruments) },
  { head: 'rows', right: true, cell: ({ rows }) => countText(rows) },
  {
    head: 'counted',
    cell: ({ counted: own }) => (own ? `${countText(own.actual)} of ${countText(own.expected)} ${own.unit}` : ''),
  },
]

/** @param first of the lines */
function columnsOf({ exchanges }: AccountSummary, first: Line): readonly Column<Line>[] {
  const several = exchanges.size > 1
  const whose = several ? [EXCHANGE] : []
  if (first.hourUs !== undefined) return [HOUR, ...whose, DATA, KIND, ...FIGURES]
  if (first.about !== undefined)
    return [...whose, ...(first.family === '' ? [] : [DATA]), ABOUT, ...FIGURES.slice(1), ...(several ? [] : [BECAUSE])]
  return [...whose, DATA, KIND, ...FIGURES]
}

function countedColumnsOf(lines: readonly CountedLine[]): readonly Column<CountedLine>[] {
  const whose = new Set(lines.map(({ exchange }) => exchange)).size > 1 ? [EXCHANGE] : []
  if (lines[0]?.hourUs !== undefined) return [HOUR, ...whose, DATA, KIND, ...COUNTED]
  return lines[0]?.instrument === undefined
    ? [...whose, DATA, KIND, ...COUNTED]
    : [...whose, DATA, INSTRUMENT, ...COUNTED.slice(1)]
}

/** Of all lines so many as are shown are in memory. */
function tableText<Row>(
  lines: Iterable<Row>,
  columnsOf: (first: Row) => readonly Column<Row>[],
  width: number,
): string | undefined {
  const shown: Row[] = []
  let more = 0
  for (const line of lines)
    if (shown.length < LINES_SHOWN) shown.push(line)
    else more++
  const [first] = shown
  if (first === undefined) return undefined
  const columns = columnsOf(first)
  const table = fitTable(
    {
      head: columns.map(({ head }) => head),
      rows: shown.map(line => columns.map(({ cell }) => cell(line))),
      numeric: columns.flatMap(({ right }, i) => (right ? [i] : [])),
    },
    width,
  )
  return more > 0 ? `${table}\n… and ${countText(more)} more; --json has all` : table
}

function* tableMarkdown<Row>(
  lines: Iterable<Row>,
  columnsOf: (first: Row) => readonly Column<Row>[],
): Generator<string, void> {
  const row = (values: readonly string[]) =>
    `| ${values.map(value => asOneLine(value).replaceAll('|', '\\|')).join(' | ')} |`
  let columns: readonly Column<Row>[] | undefined
  for (const line of lines) {
    if (!columns) {
      columns = columnsOf(line)
      yield row(columns.map(({ head }) => head))
      yield row(columns.map(({ right }) => (right ? '--:' : '---')))
    }
    yield row(columns.map(({ cell }) => cell(line)))
  }
}

/** How many trades and changes the tables lack, by their numbers. */
export function lackOf(counted: CountedTables | undefined): number {
  const own = counted?.lines.flatMap(line => (line.counted && line.counted.unit !== 'instruments' ? line.counted : []))
  return (own ?? []).reduce((lack, { expected, actual }) => lack + expected - actual, 0)
}

function quarantineText(counted: CountedTables | undefined): string | undefined {
  const [first] = counted?.quarantined ?? []
  if (!counted || !first) return undefined
  const lines = counted.quarantined.reduce((sum, one) => sum + one.lines, 0)
  return `In quarantine: ${countText(lines)} lines, first in ${first.path}: ${first.reason}.`
}

const remarksOf = (summary: AccountSummary, counted: CountedTables | undefined) =>
  [
    tradesText(summary),
    healedText(summary),
    pendingText(summary),
    notOfferedText(summary),
    quarantineText(counted),
  ].flatMap(text => text ?? [])

const windowText = ({ window }: AccountSummary) => `${isoText(window.fromUs)} to ${isoText(window.toUs)} UTC.`

/** The account for a terminal of 80 columns: one sentence, what is missing, the table, what healed, what was counted. */
export function accountText(summary: AccountSummary, counted?: CountedTables, width = COLUMNS): string {
  const { losses } = summary
  const parts: string[] = [wrapped(sentenceOf(summary), '', '', width)]
  if (losses.length > 0) {
    const shown = losses
      .slice(0, LOSSES_SHOWN)
      .map(loss => wrapped(lossText(loss, summary), ' '.repeat(12), '  ', width))
    const more = losses.length - shown.length
    if (more > 0) shown.push(`  … and ${countText(more)} shorter ones; --json has all`)
    parts.push(['Missing, the longest first (UTC):', ...shown].join('\n'))
  }
  const tables = [
    tableText(summary.lines, first => columnsOf(summary, first), width),
    counted && tableText(counted.lines, () => countedColumnsOf(counted.lines), width),
  ]
  parts.push(...tables.flatMap(table => table ?? []))
  parts.push([...remarksOf(summary, counted).map(text => wrapped(text, '', '', width)), windowText(summary)].join('\n'))
  return parts.join('\n\n')
}

/** The same for documents, line by line. */
export function* accountMarkdown(summary: AccountSummary, counted?: CountedTables): Generator<Buffer, void> {
  for (const line of markdownLines(summary, counted)) yield Buffer.from(line)
}

function* markdownLines(summary: AccountSummary, counted: CountedTables | undefined): Generator<string, void> {
  const { losses } = summary
  yield* [`**${sentenceOf(summary)}**`, '']
  for (const loss of losses.slice(0, LOSSES_SHOWN)) yield `- ${lossText(loss, summary).replaceAll(/ {2,}/g, ' ')}`
  if (losses.length > 0) yield ''
  yield* tableMarkdown(summary.lines, first => columnsOf(summary, first))
  yield ''
  if (counted) {
    yield* tableMarkdown(counted.lines, () => countedColumnsOf(counted.lines))
    yield ''
  }
  yield* remarksOf(summary, counted)
  yield windowText(summary)
}

/** The same for programs, piece by piece: the account itself, and what it comes to. */
export function* accountJson(
  summary: AccountSummary,
  account: Account,
  counted?: CountedTables,
): Generator<Buffer, void> {
  const { window, isComplete, isEmpty, lostUs, losses, healed, pending, lines, trades, notOffered, channels, claimed } =
    summary
  const event = ({ fromUs, toUs, lostUs, state, cause, channels }: Loss) => ({
    ...{ from: isoText(fromUs), to: isoText(toUs), from_us: fromUs, to_us: toUs, seconds: lostUs / 1e6, state, cause },
    channels: channels.map(({ exchange, family, about }) => `${exchange} ${family} ${about}`),
  })
  const value = {
    ...{ from: isoText(window.fromUs), to: isoText(window.toUs), sentence: sentenceOf(summary) },
    ...{ complete: isComplete, empty: isEmpty, missing_seconds: lostUs / 1e6, channels },
    missing: eachAs(losses, event),
    healed: eachAs(healed, event),
    not_yet_known: eachAs(pending, event),
    trades,
    claimed_channels: claimed,
    not_offered: notOffered,
    lines: eachAs(lines, ({ hourUs, wantedUs, lostUs, healedUs, pendingUs, complete, ...line }) => ({
      ...line,
      ...(hourUs !== undefined && { hour: isoText(hourUs) }),
      complete: complete ?? null,
      ...{ wanted_seconds: wantedUs / 1e6, missing_seconds: lostUs / 1e6 },
      ...{ healed_seconds: healedUs / 1e6, not_yet_known_seconds: pendingUs / 1e6 },
    })),
    ...(counted && {
      tables: eachAs(counted.lines, ({ hourUs, ...line }) => ({
        ...line,
        ...(hourUs !== undefined && { hour: isoText(hourUs) }),
      })),
      quarantined: counted.quarantined,
    }),
    groups: account.groups,
  }
  for (const piece of jsonPieces(value)) yield Buffer.from(piece)
}

function* eachAs<From, To>(list: Iterable<From>, as: (one: From) => To): Generator<To, void> {
  for (const one of list) yield as(one)
}

const isoText = (us: number) => new Date(Math.floor(us / 1000)).toISOString().replace(/\.000Z$/, 'Z')
