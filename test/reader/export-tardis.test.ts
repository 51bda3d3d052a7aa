import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { bookAt } from '../../reader/book/sample-book.js'
import { exportFiles, type ExportOptions } from '../../reader/export/export-files.js'
import { filesBelow, hashes } from '../compactor/fixtures/compacted.js'
import { commandHere } from '../fixtures/command-here.js'
import { END_MS, NAME, RECORDED, recordDay, START_MS } from '../fixtures/exported-day.js'
import type { MadeFrame } from '../fixtures/made-recording.js'
import { needsThat } from '../fixtures/needs.js'
import { cell, hasTardisDev, tardisDev } from '../fixtures/tardis-dev.js'

const MIDNIGHT_US = Date.UTC(2026, 10, 22) * 1000

const exported = (root: string, out: string, asked: Partial<ExportOptions>) =>
  exportFiles({ root, fresh: undefined, out, format: 'tardis-csv', gaps: 'refuse', note: () => undefined, ...asked })

/** Rows of a file, by column. */
function rowsIn(path: string): { header: string; rows: Record<string, string>[] } {
  const [header = '', ...lines] = gunzipSync(readFileSync(path)).toString('utf8').split('\n')
  const names = header.split(',')
  const rows = lines.filter(line => line !== '').map(line => line.split(','))
  return { header, rows: rows.map(cells => Object.fromEntries(names.map((name, at) => [name, cells[at] ?? '']))) }
}

/** What Tardis' own code makes of the frames, in the order of receipt; each with its frame's time in µs. */
function judged(
  normalize:
    | 'normalizeTrades'
    | 'normalizeBookChanges'
    | 'normalizeDerivativeTickers'
    | 'normalizeOptionsSummary'
    | 'normalizeLiquidations'
    | 'normalizeBookTickers',
  frames: readonly MadeFrame[],
) {
  const mapper = tardisDev()[normalize]('deribit', new Date(START_MS))
  return frames.flatMap(({ recvUs, frame }) => {
    const parsed: unknown = JSON.parse(frame)
    if (!mapper.canHandle(parsed)) return []
    return [...mapper.map(parsed, new Date(recvUs / 1000))].map((row): Judged => ({ ...row, recvUs }))
  })
}
type Judged = Record<string, unknown> & { recvUs: number }

const head = (row: Judged) => ({
  exchange: cell(row['exchange']),
  symbol: cell(row['symbol']),
  timestamp: cell(row['timestamp']),
  local_timestamp: String(row.recvUs),
})

/** Rows of both days of a kind. */
const bothDays = (out: string, type: string, symbol: string) =>
  ['2026-11-21', '2026-11-22'].flatMap(date => rowsIn(join(out, `deribit_${type}_${date}_${symbol}.csv.gz`)).rows)

t.test('rows are those that Tardis’ own code makes of the same frames, field by field', async t => {
  if (!needsThat(t, hasTardisDev, 'needs tardis-dev: npm ci')) return
  const folder = t.testdir({ data: {}, out: {} })
  const [data, out] = [join(folder, 'data'), join(folder, 'out')]
  const { frames, options } = await recordDay(data)
  const types = [
    'trades',
    'liquidations',
    'incremental_book_L2',
    'book_ticker',
    'derivative_ticker',
    'quotes',
    'book_snapshot_5',
    'book_snapshot_25',
  ]
  await exported(data, out, { types, instruments: [NAME] })
  await exported(data, out, { types: ['options_chain'] })
  const ofName = (row: Judged) => row['symbol'] === NAME

  const trades = judged('normalizeTrades', frames).filter(ofName)
  t.ok(trades.length > 20)
  t.strictSame(
    bothDays(out, 'trades', NAME),
    trades.map(row => ({ ...head(row), ...pick(row, { id: 'id', side: 'side', price: 'price', amount: 'amount' }) })),
    'trades',
  )
  const liquidations = judged('normalizeLiquidations', frames).filter(ofName)
  t.strictSame(
    bothDays(out, 'liquidations', NAME),
    liquidations.map(row => ({
      ...head(row),
      ...pick(row, { id: 'id', side: 'side', price: 'price', amount: 'amount' }),
    })),
    'liquidations',
  )
  const tickers = judged('normalizeBookTickers', frames).filter(ofName)
  t.ok(tickers.length > 20)
  const quoteColumns = {
    ask_amount: 'askAmount',
    ask_price: 'askPrice',
    bid_price: 'bidPrice',
    bid_amount: 'bidAmount',
  }
  t.strictSame(
    bothDays(out, 'book_ticker', NAME),
    tickers.map(row => ({ ...head(row), ...pick(row, quoteColumns) })),
    'book_ticker',
  )
  const columns = {
    funding_timestamp: 'fundingTimestamp',
    funding_rate: 'fundingRate',
    predicted_funding_rate: 'predictedFundingRate',
    open_interest: 'openInterest',
    last_price: 'lastPrice',
    index_price: 'indexPrice',
    mark_price: 'markPrice',
  }
  const derivatives = ['2026-11-21', '2026-11-22'].flatMap(date => {
    // A day's file begins anew with what it knows.
    const isOfDay = ({ recvUs }: MadeFrame) => recvUs < MIDNIGHT_US === (date === '2026-11-21')
    return judged('normalizeDerivativeTickers', frames.filter(isOfDay)).filter(ofName)
  })
  t.ok(derivatives.length > 20)
  t.strictSame(
    bothDays(out, 'derivative_ticker', NAME),
    derivatives.map(row => ({ ...head(row), ...pick(row, columns) })),
    'derivative_ticker',
  )
  const chain = judged('normalizeOptionsSummary', frames).filter(row => options.includes(String(row['symbol'])))
  t.ok(chain.length > 20)
  const ofOptions = {
    type: 'optionType',
    strike_price: 'strikePrice',
    expiration: 'expirationDate',
    open_interest: 'openInterest',
    last_price: 'lastPrice',
    bid_price: 'bestBidPrice',
    bid_amount: 'bestBidAmount',
    bid_iv: 'bestBidIV',
    ask_price: 'bestAskPrice',
    ask_amount: 'bestAskAmount',
    ask_iv: 'bestAskIV',
    mark_price: 'markPrice',
    mark_iv: 'markIV',
    underlying_index: 'underlyingIndex',
    underlying_price: 'underlyingPrice',
    ...{ delta: 'delta', gamma: 'gamma', vega: 'vega', theta: 'theta', rho: 'rho' },
  }
  t.strictSame(
    bothDays(out, 'options_chain', 'OPTIONS'),
    chain.map(row => ({ ...head(row), ...pick(row, ofOptions) })),
    'options_chain',
  )

  // The first rows of a day are the whole book as it stood; Tardis makes the same for itself.
  const changes = judged('normalizeBookChanges', frames).filter(ofName)
  const opening = bothDays(out, 'incremental_book_L2', NAME).filter(
    row => Number(row['local_timestamp']) === MIDNIGHT_US,
  )
  t.ok(opening.length > 20)
  t.ok(opening.every(row => row['is_snapshot'] === 'true'))
  type Level = { price: number; amount: number }
  t.strictSame(
    bothDays(out, 'incremental_book_L2', NAME).filter(row => Number(row['local_timestamp']) !== MIDNIGHT_US),
    changes.flatMap(row =>
      (['bids', 'asks'] as const).flatMap(side =>
        (row[side] as Level[]).map(({ price, amount }) => ({
          ...head(row),
          is_snapshot: String(row['isSnapshot']),
          side: side === 'bids' ? 'bid' : 'ask',
          price: String(price),
          amount: String(amount),
        })),
      ),
    ),
    'incremental_book_L2',
  )
  for (const depth of [5, 25]) {
    const computed = tardisDev().computeBookSnapshots({ depth, interval: 0 })()
    const snapshots = changes.flatMap(row =>
      [...computed.compute(row)].map((one): Judged => ({
        ...one,
        symbol: NAME,
        exchange: 'deribit',
        timestamp: row['timestamp'],
        recvUs: row.recvUs,
      })),
    )
    // Tardis says again that a book changed which was reported; rows of equal levels count once.
    const levelsOf = (row: Judged): Record<string, string> => {
      const [asks, bids] = [row['asks'] as Partial<Level>[], row['bids'] as Partial<Level>[]]
      const entries = Array.from({ length: depth }, (_, at) =>
        (['asks', 'bids'] as const).flatMap((side): [string, string][] => {
          const level = (side === 'asks' ? asks : bids)[at]
          return [
            [`${side}[${at}].price`, cell(level?.price)],
            [`${side}[${at}].amount`, cell(level?.amount)],
          ]
        }),
      )
      return Object.fromEntries(entries.flat())
    }
    const different = snapshots.map(row => ({ ...head(row), ...levelsOf(row) }))
    const rows = bothDays(out, `book_snapshot_${depth}`, NAME).filter(
      row => Number(row['local_timestamp']) !== MIDNIGHT_US,
    )
    const values = (row: Record<string, string>) =>
      JSON.stringify(Object.entries(row).filter(([name]) => name.includes('[')))
    const changed = different.filter((row, at) => at === 0 || values(row) !== values(different[at - 1] ?? row))
    t.strictSame(rows, changed, `book_snapshot_${depth}`)
  }

  const quotes = frames
    .filter(({ family }) => family === 'quote')
    .map(({ recvUs, frame }) => {
      const { data } = (JSON.parse(frame) as { params: { data: Record<string, number> } }).params
      const some = (name: string) => cell(data[name] === 0 ? undefined : data[name])
      return {
        ...{
          exchange: 'deribit',
          symbol: NAME,
          timestamp: cell((data['timestamp'] ?? 0) * 1000),
          local_timestamp: cell(recvUs),
        },
        ...{ ask_amount: some('best_ask_amount'), ask_price: some('best_ask_price') },
        ...{ bid_price: some('best_bid_price'), bid_amount: some('best_bid_amount') },
      }
    })
  t.strictSame(bothDays(out, 'quotes', NAME), quotes, 'quotes')
})

/** Columns by the names that Tardis' own objects have for them. */
function pick(row: Judged, names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([column, name]) => [column, cell(row[name])]))
}

t.test('headers are those that readers compare, letter by letter; the book is ours at random moments', async t => {
  const folder = t.testdir({ data: {}, out: {} })
  const [data, out] = [join(folder, 'data'), join(folder, 'out')]
  await recordDay(data)
  const asked = { types: ['trades', 'incremental_book_L2', 'options_chain'], instruments: [NAME], ...RECORDED }
  t.match(await exported(data, out, asked), { known: 0, gaps: 0 })
  const headerOf = (type: string, symbol = NAME) =>
    rowsIn(join(out, `deribit_${type}_2026-11-22_${symbol}.csv.gz`)).header
  t.equal(headerOf('trades'), 'exchange,symbol,timestamp,local_timestamp,id,side,price,amount')
  t.equal(headerOf('incremental_book_L2'), 'exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount')
  t.equal(
    headerOf('options_chain', 'OPTIONS'),
    'exchange,symbol,timestamp,local_timestamp,type,strike_price,expiration,open_interest,last_price,bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv,mark_price,mark_iv,underlying_index,underlying_price,delta,gamma,vega,theta,rho',
  )
  for (const date of ['2026-11-21', '2026-11-22']) {
    const { rows } = rowsIn(join(out, `deribit_incremental_book_L2_${date}_${NAME}.csv.gz`))
    for (const at of [START_MS + 3_141, MIDNIGHT_US / 1000 + 2_718, END_MS - 1_000]) {
      if (at * 1000 < MIDNIGHT_US !== (date === '2026-11-21')) continue
      const book = new Map<string, number>()
      let wasSnapshot = false
      for (const row of rows) {
        if (Number(row['local_timestamp']) > at * 1000) break
        const isSnapshot = row['is_snapshot'] === 'true'
        if (isSnapshot && !wasSnapshot) book.clear()
        wasSnapshot = isSnapshot
        const key = `${row['side']} ${row['price']}`
        if (row['amount'] === '0') book.delete(key)
        else book.set(key, Number(row['amount']))
      }
      const ours = await bookAt({ path: data, instrument: NAME, at: new Date(at) })
      const levels = [
        ...ours.bids.map(([p, a]) => [`bid ${p}`, a] as const),
        ...ours.asks.map(([p, a]) => [`ask ${p}`, a] as const),
      ]
      t.strictSame([...book].sort(), levels.sort(), `the book at ${at}`)
    }
  }
  // Every file has its account; the same question is not answered twice, and has the same bytes.
  const before = hashes(out)
  const files = filesBelow(out)
  t.equal(files.length, 12)
  t.match(JSON.parse(readFileSync(join(out, files.find(name => name.endsWith('.json')) ?? ''), 'utf8')), {
    sha256: /^[0-9a-f]{64}$/,
  })
  t.match(await exported(data, out, asked), { files: 0, known: 6 })
  const [gone = ''] = readdirSync(out).filter(name => name.endsWith('.gz'))
  rmSync(join(out, gone))
  t.match(await exported(data, out, asked), { files: 1, known: 5 })
  t.strictSame(hashes(out), before)
})

t.test(
  'a span with a gap is refused; with --gaps restart the book begins anew behind it and the account tells',
  async t => {
    const folder = t.testdir({ data: {}, out: {} })
    const [data, out] = [join(folder, 'data'), join(folder, 'out')]
    const gap = { fromUs: (START_MS + 1_000) * 1000, toUs: (START_MS + 3_000) * 1000 }
    await recordDay(data, { gap })
    const asked = {
      types: ['trades', 'incremental_book_L2'],
      instruments: [NAME],
      from: RECORDED.from,
      to: MIDNIGHT_US,
    }
    await t.rejects(exported(data, out, asked), { code: 'EXPORT_GAPS', message: /2026-11-21T23:59:56/ })
    t.strictSame(filesBelow(out), [], 'nothing is left behind')
    t.match(await exported(data, out, { ...asked, gaps: 'restart' }), { files: 2 })
    const path = join(out, `deribit_incremental_book_L2_2026-11-21_${NAME}.csv.gz`)
    const account = JSON.parse(readFileSync(`${path}.account.json`, 'utf8')) as { gaps: object[]; unknown: object[] }
    t.match(account.gaps[0], { from: /23:59:56/, to: /23:59:58/, cause: 'connection lost' })
    const behind = rowsIn(path).rows.filter(row => Number(row['local_timestamp']) > gap.fromUs)
    // No snapshot came again in this recording: from the gap on nothing may be shown.
    t.strictSame(behind, [])
    t.match(account.unknown[0], { from: /23:59:56/ })
    // Before the gap all is well.
    t.match(await exported(data, join(out, 'before'), { ...asked, to: gap.fromUs - 100_000 }), { files: 2, gaps: 0 })
  },
)

t.test('by the command, straight from raw; other formats as they are; what cannot be is said', async t => {
  const folder = t.testdir({ data: {}, out: {} })
  const [data, out] = [join(folder, 'data'), join(folder, 'out')]
  const { frames } = await recordDay(data, { compacts: false })
  const run = (...args: string[]) => commandHere(['export', '--path', data, '--out', out, ...args])
  const csv = await run('--format', 'csv', '--view', 'quote', '--json')
  const quotes = frames.filter(({ family }) => family === 'quote').length
  t.match(JSON.parse(csv.stdout || '{}'), { files: 2, rows: quotes, gaps: 0 }, csv.stderr)
  t.equal(readFileSync(join(out, 'quote_2026-11-21.csv'), 'utf8').split('\n')[0]?.split(',')[0], 'recv_ts')
  const parquet = await run('--format', 'parquet', '--view', 'trades', '--kind', 'perpetual', '--json')
  t.equal(parquet.exitCode, 0, parquet.stderr)
  t.ok(existsSync(join(out, 'trades_2026-11-22.parquet')))
  const wrong = await run('--format', 'tardis-csv', '--type', 'candles')
  t.equal(wrong.exitCode, 2)
  t.match(wrong.stderr, /wanted one of trades/)
  t.equal((await run('--format', 'csv')).exitCode, 2)
})

t.test('a ready view that stands in a gap is refused, or says in its account how many of its rows do', async t => {
  const folder = t.testdir({ data: {}, out: {} })
  const [data, out] = [join(folder, 'data'), join(folder, 'out')]
  await recordDay(data, { gap: { fromUs: (START_MS + 6000) * 1000, toUs: (START_MS + 6500) * 1000 } })
  const at = (ms: number) => `'${new Date(START_MS + ms).toISOString()}'`
  const quotesAt = (fromMs: number, toMs: number) => ({
    ...{
      format: 'csv' as const,
      view: `quotes_at(INTERVAL 100 MILLISECOND, ${at(fromMs)}, ${at(toMs)}, instrument := '${NAME}')`,
    },
  })
  t.match(await exported(data, out, quotesAt(4000, 5000)), { files: 1, rows: 11 })
  const gapped = quotesAt(5500, 6600)
  await t.rejects(exported(data, out, gapped), { code: 'EXPORT_GAPS', message: /of 12 rows/ })
  t.match(await exported(data, out, { ...gapped, gaps: 'restart' }), { files: 1, rows: 12 })
  const account = JSON.parse(readFileSync(join(out, 'quotes_at.csv.account.json'), 'utf8')) as {
    rows_not_covered: number
  }
  t.ok(account.rows_not_covered >= 4 && account.rows_not_covered < 8, String(account.rows_not_covered))
  t.match(await exported(data, out, { ...gapped, gaps: 'restart' }), { files: 0, known: 1 })
})
