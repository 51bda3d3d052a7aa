import { join } from 'node:path'
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { unreadableAmong } from '../../formats/unreadable-parquet.js'
import { dateOfUs } from '../../platform/utc-date.js'
import { isWholeParquet, tornParquet } from '../../formats/parquet-footer.js'
import { parquetFilesIn, parquetFolders, type ParquetFolder } from '../../formats/parquet-tree.js'
import type { BookRows } from '../../exchanges/book.js'
import { familyOf } from '../../exchanges/exchange.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import type { Partition } from '../../formats/partition.js'
import { HOST_SQL } from '../../formats/parquet-path.js'
import { sqlText } from '../../platform/duckdb.js'
import type { BookLink } from './book-builder.js'
import { parseJournalEvent } from '../../formats/journal/entry.js'
import type { NumberedEntry } from '../../formats/journal/read.js'
import type { Span } from '../../platform/spans.js'
import type { BookTimeline } from './timeline.js'
import type { BookExchange } from './whose-book.js'

const JOURNAL = 'journal'
const DAY_US = 86_400_000_000
const HOUR_US = 3_600_000_000
/** Their names are read, and nothing else of them. */
const ANY_DAY = { first: '0000-00-00', last: '9999-99-99' }

const timeOf = (us: number) => `make_timestamptz(${Math.round(us)})`

/** A channel of an instrument's book, and when it was received. */
export interface ChannelSpan {
  channel: string
  firstUs: number
  lastUs: number
}

/** The books of one instrument as the tables have them, and the journal beside them. */
export class ParquetBooks {
  readonly #connection: DuckDBConnection
  /** Files that were asked so far. */
  readonly #asked = new Set<string>()
  readonly #root: string
  readonly #exchange: string
  readonly #instrument: string
  readonly #rowsOfBooks: BookRows
  /** The table of books, and the partition of it that has the instrument's. */
  readonly #table: string
  readonly #partition: Partition

  constructor(connection: DuckDBConnection, root: string, { name, books }: BookExchange, instrument: string) {
    const exchange = exchangeNamed(name)
    this.#connection = connection
    this.#root = root
    this.#exchange = name
    this.#instrument = exchange.names.nameInTables?.(instrument) ?? instrument
    this.#rowsOfBooks = books.rows
    this.#table = familyOf(exchange, books.family).table ?? books.family
    this.#partition = exchange.names.partitionOfInstrument(instrument)
  }

  /** Channels with rows received within a span; both ends count. */
  async channels(fromUs: number, toUs: number): Promise<ChannelSpan[]> {
    const rows = await this.#rows(
      fromUs,
      toUs,
      `SELECT channel, epoch_us(min(recv_ts))::DOUBLE, epoch_us(max(recv_ts))::DOUBLE`,
      `recv_ts BETWEEN ${timeOf(Math.max(fromUs, 0))} AND ${timeOf(Math.min(toUs, 8e15))} GROUP BY channel`,
    )
    return rows.map(([channel, first, last]) => ({
      channel: String(channel),
      firstUs: Number(first),
      lastUs: Number(last),
    }))
  }

  /** When the last snapshot up to a moment was received, day by day backwards, µs. */
  async lastSnapshot(channel: string, atUs: number): Promise<number | undefined> {
    const { isSnapshot } = this.#rowsOfBooks
    for (const date of this.#dates(this.#table).reverse()) {
      const dayUs = Date.parse(date) * 1000
      if (dayUs > atUs) continue
      const condition = `channel = ${sqlText(channel)} AND (${isSnapshot}) AND recv_ts <= ${timeOf(atUs)}`
      const rows = await this.#rows(dayUs, dayUs, `SELECT epoch_us(max(recv_ts))::DOUBLE`, condition)
      const last = rows[0]?.[0]
      if (typeof last === 'number') return last
    }
    return undefined
  }

  /**
   * Gives the rows of a channel received within a span (its end left out) to a timeline, hour by hour, so that what is
   * sorted at once is bounded.
   * @param applied hears what became of each frame
   */
  async *feed(
    timeline: BookTimeline,
    channel: string,
    span: { fromUs: number; toUs: number },
    applied: (link: BookLink) => void,
  ): AsyncGenerator<undefined> {
    const feeder = new RowFeeder(timeline, applied)
    for (let fromUs = span.fromUs; fromUs < span.toUs; fromUs = nextHour(fromUs)) {
      const toUs = Math.min(nextHour(fromUs), span.toUs)
      const source = this.#source(this.#table, fromUs, toUs)
      if (source === undefined) continue
      const rows = `FROM ${source}
         WHERE instrument_name = ${sqlText(this.#instrument)} AND channel = ${sqlText(channel)}
           AND recv_ts >= ${timeOf(fromUs)} AND recv_ts < ${timeOf(toUs)}`
      const order = (await this.#isInOrder(rows)) ? '' : 'ORDER BY recv_ts, seq, filename, file_row_number'
      const chunks = this.#chunks(`SELECT ${rowColumns(this.#rowsOfBooks)} ${rows} ${order}`)
      for await (const chunk of chunks) {
        yield* feeder.take(chunk)
        yield undefined
      }
    }
  }

  async *#chunks(sql: string): AsyncGenerator<DuckDBDataChunk> {
    try {
      const result = await this.#connection.stream(sql)
      for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk())
        yield chunk
    } catch (cause) {
      throw (await unreadableAmong(this.#connection, this.#asked, cause)) ?? cause
    }
  }

  /** @throws EdgeError PARQUET_UNREADABLE */
  async #ask(sql: string) {
    try {
      return await this.#connection.runAndReadAll(sql)
    } catch (cause) {
      throw (await unreadableAmong(this.#connection, this.#asked, cause)) ?? cause
    }
  }

  /**
   * Whether rows lie in their files as they were received, which is so where one connection brought them: to see that
   * costs a twentieth of sorting them.
   */
  async #isInOrder(rows: string): Promise<boolean> {
    const result = await this.#ask(`SELECT count(*) FROM (
      SELECT recv_ts < lag(recv_ts) OVER () OR (recv_ts = lag(recv_ts) OVER () AND seq < lag(seq) OVER ()) AS is_back ${rows}
    ) WHERE is_back`)
    return Number(result.getRows()[0]?.[0]) === 0
  }

  /** The journal of a span; the run of an entry is not known. */
  async journal({ fromUs, toUs }: Span): Promise<NumberedEntry[]> {
    const source = this.#source(JOURNAL, fromUs, toUs)
    if (source === undefined) return []
    const result = await this.#ask(
      `SELECT ${HOST_SQL}, epoch_us(recv_ts)::DOUBLE, seq::DOUBLE, detail::VARCHAR FROM ${source}`,
    )
    return result.getRows().flatMap(([host, recvUs, seq, detail]) => {
      const event = parseJournalEvent(String(detail))
      return event
        ? [
            {
              exchange: this.#exchange,
              host: String(host),
              run: '',
              recvUs: Number(recvUs),
              seq: Number(seq),
              ...event,
            },
          ]
        : []
    })
  }

  /** When a host ('': any) was last heard of within a span, by books and journal, µs; -Infinity for never. */
  async lastSign(host: string, fromUs: number, toUs: number): Promise<number> {
    let last = -Infinity
    for (const table of [this.#table, JOURNAL]) {
      const [date] = this.#dates(table, '*')
        .filter(date => dateOverlaps(date, fromUs, toUs))
        .reverse()
      const source =
        date === undefined ? undefined : this.#source(table, Date.parse(date) * 1000, Date.parse(date) * 1000, '*')
      if (source === undefined) continue
      const result = await this.#ask(
        `SELECT epoch_us(max(recv_ts))::DOUBLE FROM ${source}
         WHERE ${host === '' ? 'true' : `${HOST_SQL} = ${sqlText(host)}`} AND recv_ts < ${timeOf(Math.min(toUs, 8e15))}`,
      )
      const value = result.getRows()[0]?.[0]
      if (typeof value === 'number') last = Math.max(last, value)
    }
    return last
  }

  async #rows(fromUs: number, toUs: number, select: string, condition: string) {
    const source = this.#source(this.#table, fromUs, toUs)
    if (source === undefined) return []
    const result = await this.#ask(
      `${select} FROM ${source} WHERE instrument_name = ${sqlText(this.#instrument)} AND ${condition}`,
    )
    return result.getRows()
  }

  /** Folders of a table's days; of books those of the instrument, unless of `all`. */
  #folders(table: string, all?: '*', dates = ANY_DAY): ParquetFolder[] {
    const { kind, currency } = this.#partition
    const isOwn = (folder: ParquetFolder) =>
      (folder.kind ?? kind) === kind && (folder.currency ?? currency) === currency
    const folders = [...parquetFolders(this.#root, { exchange: this.#exchange, table, dates })]
    return table === this.#table && all !== '*' ? folders.filter(isOwn) : folders
  }

  #dates(table: string, all?: '*'): string[] {
    return [...new Set(this.#folders(table, all).map(({ date }) => date))].sort()
  }

  /**
   * SQL for the files of a span's days; undefined where there are none.
   * @throws EdgeError PARQUET_TORN a book without its rows would be another book
   */
  #source(table: string, fromUs: number, toUs: number, all?: '*'): string | undefined {
    const dates = { first: dateOfUs(fromUs - DAY_US - HOUR_US), last: dateOfUs(toUs) }
    const files = this.#folders(table, all, dates)
      .filter(({ date }) => dateOverlaps(date, fromUs, toUs))
      .flatMap(folder => parquetFilesIn(this.#root, folder))
      .map(({ path }) => join(this.#root, path))
    if (files.length === 0) return undefined
    const torn = files.find(path => !isWholeParquet(path))
    if (torn !== undefined) throw tornParquet(torn)
    for (const path of files) this.#asked.add(path)
    const list = files.map(sqlText).join(', ')
    return `read_parquet([${list}], union_by_name = true, hive_partitioning = false, filename = true, file_row_number = true)`
  }
}

/** A day's folder may hold frames that were on their way when the day ended. */
function dateOverlaps(date: string, fromUs: number, toUs: number): boolean {
  const dayUs = Date.parse(date) * 1000
  return dayUs <= toUs && dayUs + DAY_US + HOUR_US > fromUs
}

const nextHour = (us: number) => (Math.floor(us / HOUR_US) + 1) * HOUR_US

/** What a row does to its book. */
const NO_LEVEL = 0
const BID = 1
const ODD = 3
const rowColumns = ({ amount, changeId, prevChangeId, isSnapshot }: BookRows) => `
  epoch_us(recv_ts)::DOUBLE AS recv_us,
  seq::DOUBLE AS seq,
  CASE WHEN side IS NULL THEN ${NO_LEVEL} WHEN price IS NULL OR (${amount}) IS NULL THEN ${ODD}
    WHEN side = 'bid' THEN ${BID} ELSE 2 END::DOUBLE AS level,
  price,
  ${amount} AS amount,
  (${changeId})::DOUBLE AS change_id,
  (${prevChangeId})::DOUBLE AS prev_change_id,
  epoch_ms(exchange_ts)::DOUBLE AS exchange_ms,
  ${isSnapshot} AS is_snapshot,
  ${HOST_SQL} || '/' || conn AS source,
  (hash(filename, conn) >> 12)::DOUBLE AS source_no`

/** Places in `rowColumns`. */
const COLUMN = {
  recvUs: 0,
  seq: 1,
  level: 2,
  price: 3,
  amount: 4,
  changeId: 5,
  prevChangeId: 6,
  exchangeMs: 7,
  isSnapshot: 8,
  source: 9,
  sourceNo: 10,
} as const

/** Rows of one channel in their order; those of a frame follow each other. */
class RowFeeder {
  readonly #timeline: BookTimeline
  readonly #applied: (link: BookLink) => void
  #recvUs = NaN
  #seq = NaN
  #sourceNo = NaN
  #counts = false

  constructor(timeline: BookTimeline, applied: (link: BookLink) => void) {
    this.#timeline = timeline
    this.#applied = applied
  }

  *take(chunk: DuckDBDataChunk): Generator<undefined> {
    const { builder } = this.#timeline
    const [times, seqs, sources] = [COLUMN.recvUs, COLUMN.seq, COLUMN.sourceNo].map(at => chunk.getColumnVector(at))
    const [levels, prices, amounts] = [COLUMN.level, COLUMN.price, COLUMN.amount].map(at => chunk.getColumnVector(at))
    if (!times || !seqs || !sources || !levels || !prices || !amounts) return
    const { rowCount } = chunk
    for (let row = 0; row < rowCount; row++) {
      const recvUs = times.getItem(row) as number
      const seq = seqs.getItem(row) as number
      if (recvUs !== this.#recvUs || seq !== this.#seq || sources.getItem(row) !== this.#sourceNo) {
        while (!this.#timeline.advance(recvUs)) yield undefined
        this.#begin(chunk, row)
      }
      if (!this.#counts) continue
      const level = levels.getItem(row) as number
      if (level === ODD) {
        builder.lose(recvUs, 'a level of the book is not understood')
        this.#counts = false
      } else if (level !== NO_LEVEL)
        builder.set(level === BID ? 'bids' : 'asks', prices.getItem(row) as number, amounts.getItem(row) as number)
    }
  }

  #begin(chunk: DuckDBDataChunk, row: number): void {
    const number = (column: number) => chunk.getColumnVector(column).getItem(row) as number | null
    const recvUs = number(COLUMN.recvUs) ?? NaN
    this.#recvUs = recvUs
    this.#seq = number(COLUMN.seq) ?? NaN
    this.#sourceNo = number(COLUMN.sourceNo) ?? NaN
    const link = this.#timeline.builder.begin({
      recvUs,
      exchangeMs: number(COLUMN.exchangeMs) ?? NaN,
      source: String(chunk.getColumnVector(COLUMN.source).getItem(row)),
      isSnapshot: chunk.getColumnVector(COLUMN.isSnapshot).getItem(row) === true,
      changeId: number(COLUMN.changeId) ?? NaN,
      prevChangeId: number(COLUMN.prevChangeId) ?? undefined,
    })
    this.#counts = this.#timeline.builder.takesLevels
    this.#applied(link)
  }
}
