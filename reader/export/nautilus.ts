import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import { decimalsOf, fixedBytes } from './fixed-point.js'
import { exportedFrames, type ExportedFrame } from './exported-books.js'
import { tradeEvents } from './market-events.js'
import { rowsOf } from './row-stream.js'
import { conditionOf } from './row-stream.js'
import { inTables, type ExportSource, type FileSpan } from './source.js'
import type { WrittenRows } from './whole-file.js'

/** Kinds of files, by the folders of a ParquetDataCatalog of NautilusTrader 1.x. */
export const NAUTILUS_TYPES = ['trade_tick', 'quote_tick', 'order_book_delta'] as const
export type NautilusType = (typeof NAUTILUS_TYPES)[number]

type Cell = 'fixed' | 'u8' | 'u64' | 'text'

/** Columns in their order. */
const COLUMNS: Readonly<Record<NautilusType, Readonly<Record<string, Cell>>>> = {
  trade_tick: {
    price: 'fixed',
    size: 'fixed',
    aggressor_side: 'u8',
    trade_id: 'text',
    ts_event: 'u64',
    ts_init: 'u64',
  },
  quote_tick: {
    ...{ bid_price: 'fixed', ask_price: 'fixed', bid_size: 'fixed', ask_size: 'fixed' },
    ...{ ts_event: 'u64', ts_init: 'u64' },
  },
  order_book_delta: {
    ...{ action: 'u8', side: 'u8', price: 'fixed', size: 'fixed', order_id: 'u64', flags: 'u8', sequence: 'u64' },
    ...{ ts_event: 'u64', ts_init: 'u64' },
  },
}

const ELEMENTS = {
  fixed: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 },
  u8: { type: 'INT32', converted_type: 'UINT_8' },
  u64: { type: 'INT64', converted_type: 'UINT_64' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
} as const

const SIDE = { none: 0, buy: 1, sell: 2 } as const
const ACTION = { add: 1, update: 2, delete: 3, clear: 4 } as const
const FLAG = { last: 128, snapshot: 32 } as const
/** Rows that wait in memory. */
const ROW_GROUP = 20_000

type Value = Uint8Array | number | bigint | string
type Row = readonly Value[]

/** How many decimals an instrument's prices and sizes have. */
export interface Precision {
  price: number
  size: number
}

/** As NautilusTrader names a file, by the ends of its span. */
export function nautilusPath(
  type: NautilusType,
  id: string,
  { fromUs, toUs }: { fromUs: number; toUs: number },
): string {
  const identifier = id.replaceAll('/', '').replaceAll('^', '_')
  return `data/${type}/${identifier}/${timeName(BigInt(fromUs) * 1000n)}_${timeName(BigInt(toUs) * 1000n - 1n)}.parquet`
}

/** 2023-11-14T22-13-20-001000000Z */
function timeName(ns: bigint): string {
  const second = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replaceAll(':', '-')
  return `${second}-${String(ns % 1_000_000_000n).padStart(9, '0')}Z`
}

export const nautilusId = (source: ExportSource, instrument: string) =>
  source.exports.nautilusId(inTables(source, instrument).name)

export async function writeNautilus(
  path: string,
  type: NautilusType,
  source: ExportSource,
  file: FileSpan & { instrument: string },
  precision: Precision,
): Promise<WrittenRows> {
  const columns = Object.entries(COLUMNS[type])
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: [
      { name: 'schema', num_children: columns.length },
      ...columns.map(([name, cell]) => ({ name, repetition_type: 'REQUIRED' as const, ...ELEMENTS[cell] })),
    ],
    kvMetadata: [
      { key: 'instrument_id', value: nautilusId(source, file.instrument) },
      { key: 'price_precision', value: String(precision.price) },
      { key: 'size_precision', value: String(precision.size) },
    ],
    createdBy: 'edgetape',
  })
  const written: WrittenRows = { rows: 0 }
  let rows: Row[] = []
  const flush = async () => {
    if (rows.length === 0) return
    const columnData = columns.map(([name], at) => ({ name, data: rows.map(row => row[at] as Value) }))
    await writer.write({ columnData, rowGroupSize: ROW_GROUP })
    written.rows += rows.length
    rows = []
  }
  for await (const batch of rowsOfType(type, source, file, written)) {
    rows.push(...batch)
    file.advance(batch.length)
    if (rows.length >= ROW_GROUP) await flush()
  }
  await flush()
  await writer.finish()
  return written
}

function rowsOfType(
  type: NautilusType,
  source: ExportSource,
  file: FileSpan & { instrument: string },
  written: WrittenRows,
): AsyncGenerator<Row[], void> {
  switch (type) {
    case 'trade_tick':
      return tradeRows(source, file)
    case 'quote_tick':
      return quoteRows(source, file, written)
    case 'order_book_delta':
      return deltaRows(source, file, written)
  }
}

const ns = (us: number) => BigInt(us) * 1000n

async function* tradeRows(source: ExportSource, file: FileSpan): AsyncGenerator<Row[], void> {
  for await (const trades of tradeEvents(source, file))
    yield trades.map(({ exchangeUs, localUs, id, side, price, amount }) => [
      ...[fixedBytes(price), fixedBytes(amount), side === 'buy' ? SIDE.buy : SIDE.sell, id],
      ...[ns(exchangeUs), ns(localUs)],
    ])
}

async function* quoteRows(source: ExportSource, file: FileSpan, written: WrittenRows): AsyncGenerator<Row[], void> {
  const { quotes } = source.exports.rows
  if (!quotes) throw new RangeError('no quotes')
  let oneSided = 0
  for await (const rows of rowsOf(source.session, quotes, { ...source, ...file })) {
    const whole = rows.filter(({ values }) => values.every(value => value !== null))
    oneSided += rows.length - whole.length
    yield whole.map(({ exchangeUs, localUs, values }) => {
      const [askSize = 0, ask = 0, bid = 0, bidSize = 0] = values.map(Number)
      return [...[bid, ask, bidSize, askSize].map(fixedBytes), ns(exchangeUs), ns(localUs)]
    })
  }
  written.notes = { left_out_without_both_sides: oneSided }
}

async function* deltaRows(
  source: ExportSource,
  file: FileSpan & { instrument: string },
  written: WrittenRows,
): AsyncGenerator<Row[], void> {
  let rows: Row[] = []
  const frames = exportedFrames({ ...source, ...file }, frame => rows.push(...deltasOf(frame)))
  for (;;) {
    const step = await frames.next()
    yield rows
    rows = []
    if (step.done !== true) continue
    written.unknown = step.value.unknown
    written.notes = { channel: step.value.channel }
    return
  }
}

/** A message's rows: a snapshot clears the book first, and the last row says that it is the last. */
function deltasOf({ kind, recvUs, exchangeMs, changeId, levels }: ExportedFrame): Row[] {
  const tail = [BigInt(changeId), BigInt(exchangeMs) * 1_000_000n, ns(recvUs)] as const
  const flags = kind === 'snapshot' ? FLAG.snapshot : 0
  const row = (action: number, side: number, price: number, size: number, isLast: boolean): Row => [
    ...[action, side, fixedBytes(price), fixedBytes(size), 0n, isLast ? flags + FLAG.last : flags],
    ...tail,
  ]
  const clear = kind === 'snapshot' ? [row(ACTION.clear, SIDE.none, 0, 0, levels.length === 0)] : []
  return [
    ...clear,
    ...levels.map(([side, price, amount, isNew], at) => {
      const action = amount === 0 ? ACTION.delete : isNew || kind === 'snapshot' ? ACTION.add : ACTION.update
      return row(action, side === 'bids' ? SIDE.buy : SIDE.sell, price, amount, at === levels.length - 1)
    }),
  ]
}

/** Decimals by the steps of an instrument, and by what is there. */
export async function precisionOf(source: ExportSource, instrument: string): Promise<Precision> {
  const { session, exports } = source
  const where = conditionOf({ ...source, instruments: [instrument] })
  const sql = `SELECT arg_max(${exports.steps.price}, recv_ts), arg_max(${exports.steps.amount}, recv_ts) FROM instruments WHERE ${where}`
  const [[tick, step] = []] = await rowsFor(sql)
  const places = (column: string) =>
    `coalesce(max(length(rtrim(split_part(format('{:.10f}', ${column}), '.', 2), '0'))), 0)`
  const { columns, table } = exports.rows.trades
  const [, , price = '', amount = ''] = columns
  const [[inPrices, inAmounts] = []] = await rowsFor(
    `SELECT ${places(price)}, ${places(amount)} FROM "${table}" WHERE ${where}`,
  )
  return {
    price: Math.max(stepDecimals(tick), Number(inPrices ?? 0)),
    size: Math.max(stepDecimals(step), Number(inAmounts ?? 0)),
  }

  async function rowsFor(sql: string) {
    return session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
  }
}

const stepDecimals = (step: unknown) => (typeof step === 'number' && step > 0 ? decimalsOf(step) : 0)
