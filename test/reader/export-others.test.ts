/** Files for other programs of Bybit and OKX, as those programs' own code reads them or makes them of the same frames. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { protocol as bybit } from '../../exchanges/bybit/simulator/main.js'
import { protocol as okx } from '../../exchanges/okx/simulator/main.js'
import { bookAt } from '../../reader/book/sample-book.js'
import { exportFiles, type ExportOptions } from '../../reader/export/export-files.js'
import { filesBelow, query } from '../compactor/fixtures/compacted.js'
import { END_MS, RECORDED, recordDay, type ExportedDay, type ExportedVenue } from '../fixtures/exported-day.js'
import type { MadeFrame } from '../fixtures/made-recording.js'
import { needsThat } from '../fixtures/needs.js'
import { pythonTarget } from '../fixtures/python-targets.js'
import { cell, hasTardisDev, tardisDev, type Normalizing } from '../fixtures/tardis-dev.js'
import { runHftbacktest, runNautilus, type HftAsked, type NautilusAsked } from './fixtures/backtests.js'

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

const settings = { fresh: undefined, format: 'tardis-csv', gaps: 'refuse', note: () => undefined } as const
const exported = (root: string, out: string, asked: Partial<ExportOptions>) =>
  exportFiles({ root, out, ...settings, ...RECORDED, ...asked })

const DAYS = ['2026-11-21', '2026-11-22']
const MIDNIGHT_US = Date.UTC(2026, 10, 22) * 1000
const ofDay = (frames: readonly MadeFrame[], date: string) =>
  frames.filter(({ recvUs }) => recvUs < MIDNIGHT_US === (date === DAYS[0]))

const root = t.testdir(Object.fromEntries(venues.map(({ exchange }) => [exchange, { data: {} }])))
/** What is recorded of each, once for all tests. */
const recorded = new Map<Venue, ExportedDay>()
const dataOf = ({ exchange }: Venue) => join(root, exchange, 'data')
for (const venue of venues) recorded.set(venue, await recordDay(dataOf(venue), {}, venue))

for (const [venue, { frames, options }] of recorded)
  t.test(venue.exchange, async t => {
    const folder = join(root, venue.exchange)
    const [data, out] = [dataOf(venue), join(folder, 'out')]
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
  })

t.test('hftbacktest loads the events, and its books are ours', async t => {
  const python = await pythonTarget(t, 'hftbacktest')
  if (python === undefined) return
  const momentsMs = [MIDNIGHT_US / 1000 + 1050, END_MS - 150]
  const asked: HftAsked[] = []
  for (const venue of venues) {
    const out = join(root, venue.exchange, 'npz')
    const what = { format: 'hftbacktest', instruments: [venue.perpetual], from: MIDNIGHT_US } as const
    t.match(await exported(dataOf(venue), out, what), { files: 1, gaps: 0 }, venue.exchange)
    const path = join(out, `${venue.perpetual}_20261122.npz`)
    asked.push({ path, tickSize: 0.1, lotSize: 0.001, momentsMs })
  }
  const runs = await runHftbacktest(python, asked)
  t.strictSame(
    runs.map(({ looks }) => looks.length),
    venues.map(() => momentsMs.length),
  )
  for (const [place, run] of runs.entries()) {
    const venue = venues[place]
    if (!venue) throw new Error('more runs than were asked for')
    for (const [at, look] of run.looks.entries()) {
      const asked = { path: dataOf(venue), instrument: venue.perpetual, at: new Date(momentsMs[at] ?? 0) }
      const { bids, asks } = await bookAt(asked)
      t.strictSame(
        look.map(near),
        [...(bids[0] ?? []), ...(asks[0] ?? [])].map(near),
        `${venue.exchange}: the best levels at ${momentsMs[at]}`,
      )
    }
    t.ok(run.tradeRows > 5 && run.position > 0, `${venue.exchange}: the order was filled`)
  }
})

t.test('NautilusTrader reads the catalogs, and a backtest on each sees what was recorded', async t => {
  const python = await pythonTarget(t, 'nautilus_trader')
  if (python === undefined) return
  const asked: NautilusAsked[] = []
  for (const venue of venues) {
    const catalog = join(root, venue.exchange, 'catalog')
    const what = { format: 'nautilus', instruments: [venue.perpetual] } as const
    t.match(await exported(dataOf(venue), catalog, what), { files: 6, gaps: 0 }, venue.exchange)
    const [account = ''] = filesBelow(catalog).filter(path => path.endsWith('.parquet'))
    t.match(account, `/${venue.nautilus}/`)
    const facts = await query(
      `SELECT key::VARCHAR AS name, value::VARCHAR AS places FROM parquet_kv_metadata('${join(catalog, account)}')`,
    )
    const places = (what: string) => Number(facts.find(({ name }) => name === `${what}_precision`)?.['places'])
    asked.push({ root: catalog, name: venue.nautilus, pricePlaces: places('price'), sizePlaces: places('size') })
  }
  const runs = await runNautilus(python, asked)
  t.equal(runs.length, venues.length)
  for (const [place, run] of runs.entries()) {
    const venue = venues[place]
    if (!venue) throw new Error('more runs than were asked for')
    t.ok(run.trades.length > 10 && run.quotes.length > 20)
    t.strictSame(run.seen, { trades: run.trades.length, quotes: run.quotes.length, deltas: run.deltas })
    const { bids, asks } = await bookAt({
      path: dataOf(venue),
      instrument: venue.perpetual,
      at: new Date(END_MS + 5),
    })
    t.strictSame(run.best.map(Number), [...(bids[0] ?? []), ...(asks[0] ?? [])], `${venue.exchange}: its last book`)
    t.equal(run.fills > 0, true, 'an order was filled')
  }
})
