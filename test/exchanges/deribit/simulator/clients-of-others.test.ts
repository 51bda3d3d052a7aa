import t, { type Test } from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { applyBookFrame } from '../../../../reader/book/apply-frame.js'
import { BookBuilder } from '../../../../reader/book/book-builder.js'
import { startReplay } from '../../../../reader/replay/replay-server.js'
import { ccxtAt, hasCcxt, type Ccxt } from '../../../fixtures/ccxt.js'
import { needsThat } from '../../../fixtures/needs.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../../fixtures/recorder-process.js'
import { hasTardisDev, tardisStream, type Normalized } from '../../../fixtures/tardis-dev.js'
import { TestClient } from './client.js'

// Mostly waits.

const SYMBOL = 'BTC/USD:BTC'
const NAME = 'BTC-PERPETUAL'

/** Texts of frames that the exchange sent, or that were recorded of it, up to now. */
type Wire = () => readonly string[]

/** Trades that are waited for until an earlier one is told of. */
const TRIES_MAX = 20
const TICKERS_MAX = 200

interface Row {
  readonly [key: string]: unknown
}

/** Data on the channels of a family, rows of lists one by one. */
function rowsOn(wire: Wire, family: string): Row[] {
  return wire()
    .filter(text => text.includes(`"channel":"${family}.`))
    .flatMap(text => {
      const { data } = (JSON.parse(text) as { params: { data: Row | Row[] } }).params
      return Array.isArray(data) ? data : [data]
    })
}

/** Waits for the row on the wire that a client must have seen; other connections may hear of it a little later. */
async function rowThat(wire: Wire, family: string, isIt: (row: Row) => boolean): Promise<Row> {
  await until(`${family} that a client saw on the wire`, () => rowsOn(wire, family).some(isIt))
  return rowsOn(wire, family).find(isIt) ?? {}
}

/** Both sides of the book of the instrument after each frame on the wire. */
function booksOn(wire: Wire): Set<string> {
  const builder = new BookBuilder()
  const books = new Set<string>()
  for (const text of wire()) {
    if (!text.includes(`"channel":"book.${NAME}.100ms"`)) continue
    applyBookFrame(builder, text, 0, 'wire')
    books.add(JSON.stringify([builder.bids.list(), builder.asks.list()]))
  }
  return books
}

/** A ticker that both saw: what comes within 100 ms is sent as one, and not at the same times on every connection. */
async function tickerOnWire(client: Ccxt, wire: Wire): Promise<[last: number, ticker: Row]> {
  const shown = new Map<string, number>()
  const keyOf = (timestamp: unknown, markPrice: unknown) => `${String(timestamp)} ${String(markPrice)}`
  for (let times = 0; times < TICKERS_MAX; times++) {
    const { last, markPrice, timestamp } = await client.watchTicker(SYMBOL)
    shown.set(keyOf(timestamp, markPrice), last)
    for (const row of rowsOn(wire, 'ticker').filter(row => row['instrument_name'] === NAME)) {
      const found = shown.get(keyOf(row['timestamp'], row['mark_price']))
      if (found !== undefined) return [found, row]
    }
  }
  throw new Error(`of ${shown.size} tickers none is on the wire`)
}

async function showsWhatWasSent(t: Test, client: Ccxt, wire: Wire): Promise<void> {
  t.ok(SYMBOL in (await client.loadMarkets()), 'markets load')
  const book = await client.watchOrderBook(SYMBOL)
  // It goes on changing while others are waited for.
  const sides = JSON.stringify([book.bids.map(pair), book.asks.map(pair)])
  await until('the same book on the wire, all levels', () => booksOn(wire).has(sides))

  const [trade] = await client.watchTrades(SYMBOL)
  const { price, amount, direction } = await rowThat(wire, 'trades', row => row['trade_id'] === trade?.id)
  t.strictSame([trade?.price, trade?.info.amount, trade?.info.direction], [price, amount, direction], 'a trade')

  const [last, ticker] = await tickerOnWire(client, wire)
  t.equal(last, ticker['last_price'], 'a ticker')

  const candle = (await client.watchOHLCV(SYMBOL, '1m')).at(-1) ?? []
  const shown = (row: Row) => ['tick', 'open', 'high', 'low', 'close'].map(key => row[key])
  await rowThat(wire, 'chart.trades', row => JSON.stringify(shown(row)) === JSON.stringify(candle.slice(0, 5)))
  t.equal(candle.length, 6, 'a candle')
}

async function answersCalls(t: Test, client: Ccxt, wire: Wire): Promise<void> {
  t.ok((await client.fetchOrderBook(SYMBOL)).bids.length > 0)
  t.ok((await client.fetchTicker(SYMBOL)).last > 0)
  // Others were made before anybody looked at the wire.
  const timesOnWire = () => rowsOn(wire, 'trades').map(row => Number(row['timestamp']))
  const firstMs = Math.min(...timesOnWire())
  await until('a further trade on the wire', () => timesOnWire().some(ms => ms > firstMs))
  const fetchSeen = async () => (await client.fetchTrades(SYMBOL)).filter(({ timestamp }) => timestamp > firstMs)
  let seen = await fetchSeen()
  // A replay knows of what it has played.
  for (let times = 0; seen.length === 0 && times < TRIES_MAX; times++) {
    await client.watchTrades(SYMBOL)
    seen = await fetchSeen()
  }
  t.ok(seen.length > 0, `${seen.length} trades of the past`)
  for (const { id, price } of seen)
    t.equal(price, (await rowThat(wire, 'trades', row => row['trade_id'] === id))['price'])
  t.ok((await client.fetchOHLCV(SYMBOL, '1m', Date.now() - 600_000)).length > 0, 'candles of the past')
}

const pair = ([price, amount]: readonly [number, number]) => [price, amount]

const KINDS = ['trade', 'book_change', 'derivative_ticker']
const hasAll = (messages: readonly Normalized[]) =>
  KINDS.every(kind => messages.filter(({ type }) => type === kind).length > 2)

/** Each message that tardis-dev made is what the wire said. */
async function isWhatWasSent(t: Test, messages: readonly Normalized[], wire: Wire): Promise<void> {
  t.ok(hasAll(messages), `${messages.length} messages of trades, books and tickers`)
  const first = messages.find(({ type }) => type === 'book_change')
  t.equal(first?.['isSnapshot'], true, 'a book begins with a snapshot')
  for (const message of messages) {
    const at = (message['timestamp'] as Date).getTime()
    if (message.type === 'trade') {
      const row = await rowThat(wire, 'trades', row => row['trade_id'] === message['id'])
      t.strictSame(
        [message['price'], message['amount'], message['side']],
        [row['price'], row['amount'], row['direction']],
      )
    } else if (message.type === 'derivative_ticker') {
      const { markPrice, lastPrice, indexPrice } = message
      const said = JSON.stringify([NAME, markPrice, lastPrice, indexPrice])
      const keys = ['instrument_name', 'mark_price', 'last_price', 'index_price']
      await rowThat(wire, 'ticker', row => JSON.stringify(keys.map(key => row[key])) === said)
    } else if (message['isSnapshot'] === false) {
      const bids = message['bids'] as { price: number; amount: number }[]
      const said = JSON.stringify(bids.map(({ price, amount }) => [price, amount]))
      const isIt = (row: Row) => row['timestamp'] === at && JSON.stringify(levelsOf(row['bids'])) === said
      await rowThat(wire, `book.${NAME}`, isIt)
    }
  }
}

const levelsOf = (side: unknown) => (side as [string, number, number][]).map(([, price, amount]) => [price, amount])

t.test('clients of other people at the simulated exchange', async t => {
  const exchange = await startSimulator({ rate: 300, instruments: 30 })
  t.teardown(() => exchange.close())
  // What is on the wire, beside them.
  const witness = await TestClient.connect(exchange.url)
  t.teardown(() => witness.close())
  await witness.subscribe(...['trades', 'ticker', 'book'].map(family => `${family}.${NAME}.100ms`))
  await witness.subscribe(`chart.trades.${NAME}.1`)
  const wire = () => witness.texts

  await t.test('ccxt finds markets, books, trades, tickers and candles as they were sent', async t => {
    if (!needsThat(t, hasCcxt, 'needs ccxt: npm ci')) return
    const client = await ccxtAt(t, exchange.url)
    await showsWhatWasSent(t, client, wire)
    await answersCalls(t, client, wire)
  })
  await t.test('tardis-dev streams trades, books and tickers as they were sent', async t => {
    if (!needsThat(t, hasTardisDev, 'needs tardis-dev: npm ci')) return
    await isWhatWasSent(t, await tardisStream(exchange.url, [NAME], hasAll), wire)
  })
})

t.test('clients of other people get from a replay what was recorded by default', async t => {
  const exchange = await startSimulator({ rate: 300, instruments: 30 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir(), { url: exchange.url })
  await until('some seconds of the instrument', () => framesTaken(recorder, 'trades') > 60)
  await until('its books, too', () => framesTaken(recorder, 'book') > 300)
  recorder.process.kill('SIGTERM')
  await recorder.process
  const recorded = recordedLines(recorder.dataDir).map(({ frame }) => frame.toString('utf8'))
  const wire = () => recorded
  t.notOk(
    recorded.some(text => text.includes(`"channel":"trades.${NAME}`)),
    'trades are recorded by their kind',
  )
  const replayed = async (t: Test) => {
    const replay = await startReplay({ path: recorder.dataDir, host: '127.0.0.1', port: 0, speed: 0.5, loop: false })
    t.teardown(() => replay.close())
    return replay.url
  }

  await t.test('ccxt: markets, books, trades, tickers and candles', async t => {
    if (!needsThat(t, hasCcxt, 'needs ccxt: npm ci')) return
    const client = await ccxtAt(t, await replayed(t))
    await showsWhatWasSent(t, client, wire)
    await answersCalls(t, client, wire)
  })
  await t.test('tardis-dev: trades, books and tickers', async t => {
    if (!needsThat(t, hasTardisDev, 'needs tardis-dev: npm ci')) return
    await isWhatWasSent(t, await tardisStream(await replayed(t), [NAME], hasAll), wire)
  })
  await t.test('who asks for raw gets what was recorded each 100 ms', async t => {
    const client = await TestClient.connect(await replayed(t))
    t.teardown(() => client.close())
    const asked = [`book.${NAME}.raw`, `trades.any.any.raw`, `trades.${NAME}.agg2`, `ticker.${NAME}.raw`]
    const accepted = await client.subscribe(...asked, 'trades.NO-SUCH.raw', 'quote.NO-SUCH')
    t.strictSame(new Set(accepted as string[]), new Set(asked))
    await client.until(() => asked.every(channel => client.of(channel).length > 0))
    t.equal(client.of(`book.${NAME}.raw`)[0]?.['type'], 'snapshot')
    t.ok(client.rows(`trades.${NAME}.agg2`).every(row => row['instrument_name'] === NAME))
  })
})
