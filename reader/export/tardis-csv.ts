import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { EXPORTED_ROWS, type ExportedRows } from '../../exchanges/export.js'
import type { FollowedBook } from '../book/followed-book.js'
import { cellOf } from './csv-cell.js'
import { exportedFrames, type ExportedFrame } from './exported-books.js'
import { rowsOf } from './row-stream.js'
import { inTables, type ExportSource, type FileSpan } from './source.js'
import type { WrittenRows } from './whole-file.js'

/** What a file begins with, letter by letter: readers compare it. */
const HEAD = 'exchange,symbol,timestamp,local_timestamp'
const HEADERS: Readonly<Record<ExportedRows, string>> = {
  trades: 'id,side,price,amount',
  liquidations: 'id,side,price,amount',
  quotes: 'ask_amount,ask_price,bid_price,bid_amount',
  book_ticker: 'ask_amount,ask_price,bid_price,bid_amount',
  derivative_ticker:
    'funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price',
  options_chain:
    'type,strike_price,expiration,open_interest,last_price,bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv,' +
    'mark_price,mark_iv,underlying_index,underlying_price,delta,gamma,vega,theta,rho',
}

/** Kinds of files that are made of a book. */
export const TARDIS_BOOKS = ['incremental_book_L2', 'book_snapshot_5', 'book_snapshot_25'] as const
export type TardisBook = (typeof TARDIS_BOOKS)[number]
export const TARDIS_TYPES = [...EXPORTED_ROWS, ...TARDIS_BOOKS] as const
export type TardisType = (typeof TARDIS_TYPES)[number]

export const isBookType = (type: TardisType): type is TardisBook => TARDIS_BOOKS.some(book => book === type)
/** All options in one file, as there is no other. */
export const isGrouped = (type: TardisType) => type === 'options_chain'

/** As Tardis calls a file. */
export function tardisFileName(exchange: string, type: TardisType, date: string, symbol: string): string {
  return `${exchange}_${type}_${date}_${symbol.toUpperCase().replace(/[:\\/?*<>|"]/g, '-')}.csv.gz`
}

export async function writeTardisCsv(
  path: string,
  type: TardisType,
  source: ExportSource,
  file: FileSpan,
): Promise<WrittenRows> {
  const counted: WrittenRows = { rows: 0 }
  const text = isBookType(type) ? bookText(type, source, file, counted) : rowText(type, source, file, counted)
  await pipeline(Readable.from(text, { highWaterMark: 4 }), createGzip(), createWriteStream(path))
  return counted
}

async function* rowText(type: ExportedRows, source: ExportSource, file: FileSpan, counted: WrittenRows) {
  const { exports, session } = source
  const made = exports.rows[type]
  if (!made) throw new RangeError(`no rows of ${type}`)
  yield `${HEAD},${HEADERS[type]}\n`
  for await (const rows of rowsOf(session, made, { ...source, ...file })) {
    const lines = rows.map(
      ({ instrument, exchangeUs, localUs, values }) =>
        `${exports.tardisName},${instrument.toUpperCase()},${exchangeUs},${localUs},${values.map(cellOf).join(',')}\n`,
    )
    counted.rows += lines.length
    file.advance(lines.length)
    if (lines.length > 0) yield lines.join('')
  }
}

async function* bookText(type: TardisBook, source: ExportSource, file: FileSpan, counted: WrittenRows) {
  const { exports, root, onProblem } = source
  const instrument = file.instruments?.[0] ?? ''
  const lead = `${exports.tardisName},${inTables(source, instrument).name.toUpperCase()}`
  const maker =
    type === 'incremental_book_L2' ? new ChangeLines() : new SnapshotLines(type === 'book_snapshot_5' ? 5 : 25)
  yield `${HEAD},${maker.header}\n`
  let lines: string[] = []
  const frames = exportedFrames({ root, instrument, onProblem, ...file }, (frame, book) => {
    const times = `${lead},${frame.exchangeMs * 1000},${frame.recvUs}`
    for (const rest of maker.linesOf(frame, book)) lines.push(`${times},${rest}\n`)
  })
  for (;;) {
    const step = await frames.next()
    counted.rows += lines.length
    file.advance(lines.length)
    if (lines.length > 0) yield lines.join('')
    lines = []
    if (step.done !== true) continue
    counted.unknown = step.value.unknown
    counted.notes = { channel: step.value.channel }
    return
  }
}

interface LineMaker {
  header: string
  linesOf(frame: ExportedFrame, book: FollowedBook): string[]
}

/** Each level that changed, absolute. */
class ChangeLines implements LineMaker {
  readonly header = 'is_snapshot,side,price,amount'

  linesOf({ kind, levels }: ExportedFrame): string[] {
    const isSnapshot = String(kind === 'snapshot')
    return levels.map(([side, price, amount]) => `${isSnapshot},${side === 'bids' ? 'bid' : 'ask'},${price},${amount}`)
  }
}

/** The best levels of both sides whenever one of them changed. */
class SnapshotLines implements LineMaker {
  readonly header: string
  readonly #depth: number
  #before: string | undefined

  constructor(depth: number) {
    this.#depth = depth
    const columns = (at: number) => `asks[${at}].price,asks[${at}].amount,bids[${at}].price,bids[${at}].amount`
    this.header = Array.from({ length: depth }, (_, at) => columns(at)).join(',')
  }

  linesOf(_frame: ExportedFrame, { bids, asks }: FollowedBook): string[] {
    const cells: string[] = []
    for (let at = 0; at < this.#depth; at++)
      for (const side of [asks, bids]) cells.push(cellOf(side.priceAt(at)), cellOf(side.amountAt(at)))
    const line = cells.join(',')
    if (line === this.#before) return []
    this.#before = line
    return [line]
  }
}
