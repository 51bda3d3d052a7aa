/** Files for other programs of Bybit and OKX, as those programs' own code reads them or makes them of the same frames. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { execa } from 'execa'
import t from 'tap'
import { protocol as bybit } from '../../exchanges/bybit/simulator/main.js'
import { protocol as okx } from '../../exchanges/okx/simulator/main.js'
import { packageRoot } from '../../platform/package-info.js'
import { bookAt } from '../../reader/book/sample-book.js'
import { exportFiles, type ExportOptions } from '../../reader/export/export-files.js'
import { filesBelow, query } from '../compactor/fixtures/compacted.js'
import { END_MS, recordDay, type ExportedVenue } from '../fixtures/exported-day.js'
import type { MadeFrame } from '../fixtures/made-recording.js'
import { needsThat } from '../fixtures/needs.js'
import { pythonTarget } from '../fixtures/python-targets.js'
import { hasTardisDev, tardisDev, type Normalizing } from '../fixtures/tardis-dev.js'

t.setTimeout(240_000)

interface Venue extends ExportedVenue {
  perpetual: string
  /** A pair as people name it, as files do, and what Tardis and NautilusTrader call them. */
  pair: string
  symbol: string
  tardis: { perpetual: string; pair: string; option: string }
  nautilus: string
  depth: string
}

const venues: readonly Venue[] = [
  {
    ...{ exchange: 'bybit', protocol: bybit(), perpetual: 'BTCUSDT', pair: 'spot.BTCUSDT', symbol: 'BTCUSDT' },
    tardis: { perpetual: 'bybit', pair: 'bybit-spot', option: 'bybit-options' },
    ...{ nautilus: 'BTCUSDT-LINEAR.BYBIT', depth: 'orderbook.50' },
    channelsOf: options => [
      ...['publicTrade', 'orderbook.50', 'orderbook.1', 'tickers', 'allLiquidation'].map(head => `${head}.BTCUSDT`),
      ...['publicTrade', 'orderbook.50', 'orderbook.1'].map(head => `spot.${head}.BTCUSDT`),
      ...options.map(name => `tickers.${name}`),
    ],
  },
  {
    ...{ exchange: 'okx', protocol: okx(), perpetual: 'BTC-USDT-SWAP', pair: 'BTC-USDT', symbol: 'BTC-USDT' },
    tardis: { perpetual: 'okex-swap', pair: 'okex', option: 'okex-options' },
    ...{ nautilus: 'BTC-USDT-SWAP.OKX', depth: 'books' },
    channelsOf: options => [
      ...['BTC-USDT-SWAP', 'BTC-USDT'].flatMap(name => ['trades', 'books', 'bbo-tbt'].map(head => `${head}.${name}`)),
      ...['tickers', 'mark-price', 'open-interest', 'funding-rate'].map(head => `${head}.BTC-USDT-SWAP`),
      ...['index-tickers.BTC-USDT', 'index-tickers.BTC-USD', 'liquidation-orders.SWAP', 'opt-summary.BTC-USD'],
      ...options.flatMap(name => ['tickers', 'mark-price', 'open-interest'].map(head => `${head}.${name}`)),
    ],
  },
]

const cell = (value: unknown): string =>
  value instanceof Date
    ? String(value.getTime() * 1000)
    : typeof value === 'number' || typeof value === 'string'
      ? String(value)
      : ''

/** What Tardis' own code makes of the frames. */
function judged(normalize: Normalizing, exchange: string, frames: readonly MadeFrame[]) {
  // As it would of frames of today: the channels that are public.
  const mapper = tardisDev()[normalize](exchange, new Date())
  return frames.flatMap(({ recvUs, frame }) => {
    const parsed = JSON.parse(frame) as { ts?: number; cts?: number }
    // The time of the matching engine, where the frame says one beside that of the gateway.
    if (parsed.cts !== undefined) parsed.ts = parsed.cts
    if (!mapper.canHandle(parsed)) return []
    return [...mapper.map(parsed, new Date(recvUs / 1000))].map((row): Judged => ({ ...row, recvUs }))
  })
}
type Judged = Record<string, unknown> & { recvUs: number }

const head = (row: Judged) => [...['exchange', 'symbol', 'timestamp'].map(name => cell(row[name])), String(row.recvUs)]
const asLine = (names: readonly string[]) => (row: Judged) =>
  [...head(row), ...names.map(name => cell(row[name]))].join()

const PRICES = ['askAmount', 'askPrice', 'bidPrice', 'bidAmount']
const TRADE = ['id', 'side', 'price', 'amount']
const TICKER = [
  'fundingTimestamp',
  'fundingRate',
  'predictedFundingRate',
  'openInterest',
  'lastPrice',
  'indexPrice',
  'markPrice',
]
const CHAIN = [
  ...['optionType', 'strikePrice', 'expirationDate', 'openInterest', 'lastPrice', 'bestBidPrice', 'bestBidAmount'],
  ...['bestBidIV', 'bestAskPrice', 'bestAskAmount', 'bestAskIV', 'markPrice', 'markIV', 'underlyingIndex'],
  ...['underlyingPrice', 'delta', 'gamma', 'vega', 'theta', 'rho'],
]

/** Prices are ticks there. */
const near = (value: number) => Number(value.toFixed(6))

const exported = (root: string, out: string, asked: Partial<ExportOptions>) =>
  exportFiles({ root, fresh: undefined, out, format: 'tardis-csv', gaps: 'refuse', note: () => undefined, ...asked })

const DAYS = ['2026-11-21', '2026-11-22']
const MIDNIGHT_US = Date.UTC(2026, 10, 22) * 1000
const ofDay = (frames: readonly MadeFrame[], date: string) =>
  frames.filter(({ recvUs }) => recvUs < MIDNIGHT_US === (date === DAYS[0]))

for (const venue of venues)
  t.test(venue.exchange, async t => {
    const folder = t.testdir({ data: {}, out: {}, npz: {}, catalog: {} })
    const [data, out] = [join(folder, 'data'), join(folder, 'out')]
    const { frames, options } = await recordDay(data, {}, venue)
    const { perpetual, pair, symbol, tardis } = venue
    const linesIn = (type: string, exchange: string, name: string, date: string) =>
      gunzipSync(readFileSync(join(out, `${exchange}_${type}_${date}_${name}.csv.gz`)))
        .toString('utf8')
        .split('\n')
        .slice(1, -1)

    await t.test('rows are those that Tardis’ own code makes of the same frames', async t => {
      if (!needsThat(t, hasTardisDev, 'needs tardis-dev: npm ci')) return
      const types = ['trades', 'incremental_book_L2', 'book_ticker', 'quotes']
      t.match(await exported(data, out, { types, instruments: [perpetual, pair] }), { files: 16, gaps: 0 })
      await exported(data, out, { types: ['derivative_ticker', 'liquidations'], instruments: [perpetual] })
      await exported(data, out, { types: ['options_chain'], ...(options.length > 0 && { instruments: options }) })
      const isIndex = ({ family }: MadeFrame) => family === 'index-tickers'
      const isSpot = (made: MadeFrame) =>
        made.family.endsWith('.spot') || (!isIndex(made) && made.frame.includes(`"instId":"${pair}"}`))
      const chain = judged('normalizeOptionsSummary', tardis.option, frames)
      for (const date of DAYS) {
        const all = ofDay(frames, date)
        const ofPerpetual = all.filter(frame => !isSpot(frame))
        for (const [exchange, name, mine] of [
          [tardis.perpetual, perpetual, ofPerpetual],
          [tardis.pair, symbol, all.filter(isSpot)],
        ] as const) {
          const wanted = (normalize: Normalizing) =>
            judged(normalize, exchange, mine).filter(row => row['symbol'] === name)
          const trades = wanted('normalizeTrades').map(asLine(TRADE))
          t.ok(trades.length > 0, `${trades.length} trades of ${name}`)
          // Trades of one frame and time have no order.
          t.strictSame(linesIn('trades', exchange, name, date).sort(), trades.sort(), `${exchange} trades ${date}`)
          const quotes = wanted('normalizeBookTickers').map(asLine(PRICES))
          t.ok(quotes.length > 20)
          for (const type of ['book_ticker', 'quotes'])
            t.strictSame(linesIn(type, exchange, name, date), quotes, `${exchange} ${type} ${date}`)
          type Level = { price: number; amount: number }
          const changes = wanted('normalizeBookChanges').flatMap(row =>
            (['bids', 'asks'] as const).flatMap(side =>
              (row[side] as Level[]).map(level =>
                [...head(row), row['isSnapshot'], side === 'bids' ? 'bid' : 'ask', level.price, level.amount].join(),
              ),
            ),
          )
          t.ok(changes.length > 50)
          const opening = `,${MIDNIGHT_US},true,`
          const levels = linesIn('incremental_book_L2', exchange, name, date)
          t.equal(
            levels.some(line => line.includes(opening)),
            date === DAYS[1],
            'a day begins with the book as it stood',
          )
          t.strictSame(
            levels.filter(line => !line.includes(opening)),
            changes,
            `${exchange} books ${date}`,
          )
        }
        const liquidations = judged('normalizeLiquidations', tardis.perpetual, frames).filter(
          row => row['symbol'] === perpetual,
        )
        if (date === DAYS[1]) {
          const found = DAYS.flatMap(day => linesIn('liquidations', tardis.perpetual, perpetual, day))
          // Tardis leaves out the first frame of OKX, as if it were old.
          t.ok(found.length >= liquidations.length)
          for (const line of liquidations.map(asLine(TRADE))) t.ok(found.includes(line), line)
        }
        // Tardis takes the time of another channel's frame for one of funding.
        const withoutTime = (line: string) =>
          line
            .split(',')
            .filter((_cell, at) => at !== 2)
            .join()
        // The index is known from the day before.
        const known = date === DAYS[0] ? [] : ofDay(frames, DAYS[0] ?? '').filter(isIndex)
        const tickers = judged('normalizeDerivativeTickers', tardis.perpetual, [...known, ...ofPerpetual])
        const ours = linesIn('derivative_ticker', tardis.perpetual, perpetual, date)
        t.ok(ours.length > 5)
        t.strictSame(
          ours.map(withoutTime),
          tickers
            .filter(row => row['symbol'] === perpetual)
            .map(asLine(TICKER))
            .map(withoutTime),
          `derivative_ticker ${date}`,
        )
        const ofOptions = chain.filter(
          row => options.includes(String(row['symbol'])) && row.recvUs < MIDNIGHT_US === (date === DAYS[0]),
        )
        t.ok(ofOptions.length > 3)
        t.strictSame(
          linesIn('options_chain', tardis.option, 'OPTIONS', date).sort(),
          ofOptions.map(asLine(CHAIN)).sort(),
          `options ${date}`,
        )
      }
    })

    await t.test('what the exchange does not tell of a kind is said, and left out where all are asked for', async t => {
      const asked = { types: ['derivative_ticker'], instruments: [pair] }
      await t.rejects(exported(data, out, asked), {
        code: 'EXPORT_OPTIONS',
        message: new RegExp(`derivative_ticker of ${pair}`),
      })
      const all = join(folder, 'all')
      await exported(data, all, { types: ['derivative_ticker', 'trades'], to: MIDNIGHT_US })
      const names = filesBelow(all).filter(path => path.endsWith('.gz'))
      t.ok(names.includes(`${tardis.pair}_trades_${DAYS[0]}_${symbol}.csv.gz`), names.join(' '))
      t.ok(names.includes(`${tardis.perpetual}_trades_${DAYS[0]}_${perpetual}.csv.gz`))
      t.notOk(names.some(name => name.startsWith(`${tardis.pair}_derivative`)))
    })

    await t.test('hftbacktest loads the events, and its book is ours', async t => {
      const python = await pythonTarget(t, 'hftbacktest')
      if (python === undefined) return
      const npz = join(folder, 'npz')
      t.match(await exported(data, npz, { format: 'hftbacktest', instruments: [perpetual], from: MIDNIGHT_US }), {
        files: 1,
        gaps: 0,
      })
      const moments = [MIDNIGHT_US / 1000 + 1050, END_MS - 150]
      const path = join(npz, `${perpetual}_20261122.npz`)
      const script = join(packageRoot, 'test/reader/fixtures/run_hftbacktest.py')
      const { stdout } = await execa(python, [
        script,
        path,
        '0.1',
        '0.001',
        ...moments.map(ms => String(ms * 1_000_000)),
      ])
      const run = JSON.parse(stdout) as { looks: number[][]; position: number; tradeRows: number }
      for (const [at, look] of run.looks.entries()) {
        const { bids, asks } = await bookAt({ path: data, instrument: perpetual, at: new Date(moments[at] ?? 0) })
        t.strictSame(
          look.map(near),
          [...(bids[0] ?? []), ...(asks[0] ?? [])].map(near),
          `the best levels at ${moments[at]}`,
        )
      }
      t.ok(run.tradeRows > 5 && run.position > 0, 'the order was filled')
    })

    await t.test('NautilusTrader reads the catalog, and a backtest on it sees what was recorded', async t => {
      const python = await pythonTarget(t, 'nautilus_trader')
      if (python === undefined) return
      const catalog = join(folder, 'catalog')
      t.match(await exported(data, catalog, { format: 'nautilus', instruments: [perpetual] }), { files: 6, gaps: 0 })
      const [account = ''] = filesBelow(catalog).filter(path => path.endsWith('.parquet'))
      t.match(account, `/${venue.nautilus}/`)
      const script = join(packageRoot, 'test/reader/fixtures/run_nautilus.py')
      const facts = await query(
        `SELECT key::VARCHAR AS name, value::VARCHAR AS places FROM parquet_kv_metadata('${join(catalog, account)}')`,
      )
      const places = (what: string) => String(facts.find(({ name }) => name === `${what}_precision`)?.['places'])
      const { stdout } = await execa(python, [script, catalog, venue.nautilus, places('price'), places('size')])
      const run = JSON.parse(stdout) as Record<'trades' | 'quotes', unknown[]> & {
        deltas: number
        seen: object
        best: string[]
        fills: number
      }
      t.ok(run.trades.length > 10 && run.quotes.length > 20)
      t.strictSame(run.seen, { trades: run.trades.length, quotes: run.quotes.length, deltas: run.deltas })
      const { bids, asks } = await bookAt({ path: data, instrument: perpetual, at: new Date(END_MS + 5) })
      t.strictSame(run.best.map(Number), [...(bids[0] ?? []), ...(asks[0] ?? [])], 'its last book is ours')
      t.equal(run.fills > 0, true, 'an order was filled')
    })
  })
