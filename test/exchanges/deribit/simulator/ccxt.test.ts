import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { packageRoot } from '../../../../platform/package-info.js'
import { needsThat } from '../../../fixtures/needs.js'
import { until } from '../../../fixtures/recorder-process.js'
import { TestClient } from './client.js'

interface Trade {
  id: string
  price: number
  info: { amount: number; direction: string }
}
type Level = [price: number, amount: number]

/** What is used of ccxt; its own types ask for more of the compiler than they are worth. */
interface Ccxt {
  urls: { api: { rest: string; ws: string } }
  loadHttpProxyAgent(): Promise<unknown>
  loadMarkets(): Promise<Record<string, unknown>>
  watchOrderBook(symbol: string): Promise<{ bids: Level[]; asks: Level[] }>
  watchTrades(symbol: string): Promise<Trade[]>
  watchTicker(symbol: string): Promise<{ last: number; markPrice: number }>
  watchOHLCV(symbol: string, timeframe: string): Promise<number[][]>
  fetchOrderBook(symbol: string): Promise<{ bids: Level[] }>
  fetchTrades(symbol: string): Promise<Trade[]>
  fetchTicker(symbol: string): Promise<{ last: number }>
  close(): Promise<void>
}

const SYMBOL = 'BTC/USD:BTC'

t.test('ccxt of other people finds markets, books, trades, tickers and candles at the simulated exchange', async t => {
  if (!needsThat(t, existsSync(join(packageRoot, 'node_modules/ccxt')), 'needs ccxt: npm ci')) return
  const exchange = await startSimulator({ rate: 300, instruments: 30 })
  t.teardown(() => exchange.close())
  // What is on the wire, beside it.
  const client = await TestClient.connect(exchange.url)
  t.teardown(() => client.socket.terminate())
  await client.call('public/subscribe', { channels: ['trades.BTC-PERPETUAL.100ms', 'ticker.BTC-PERPETUAL.100ms'] })

  const ccxt = createRequire(import.meta.url)('ccxt') as { pro: { deribit: new (options: object) => Ccxt } }
  const clientOfOthers = new ccxt.pro.deribit({ enableRateLimit: false })
  clientOfOthers.urls.api.rest = exchange.url.replace(/^ws/, 'http').replace(/\/ws\/api\/v2.*/, '')
  clientOfOthers.urls.api.ws = exchange.url
  await clientOfOthers.loadHttpProxyAgent()
  t.teardown(() => clientOfOthers.close())

  const markets = await clientOfOthers.loadMarkets()
  t.ok(SYMBOL in markets, 'markets load')
  const [book] = [await clientOfOthers.watchOrderBook(SYMBOL)]
  t.ok((book.bids[0]?.[0] ?? Infinity) < (book.asks[0]?.[0] ?? -Infinity), 'a book that is not crossed')
  const trades = await clientOfOthers.watchTrades(SYMBOL)
  const ticker = await clientOfOthers.watchTicker(SYMBOL)
  const [candle = []] = await clientOfOthers.watchOHLCV(SYMBOL, '1m')
  t.equal(candle.length, 6)
  t.ok((candle[2] ?? 0) >= (candle[3] ?? Infinity), 'high and low')

  const wired = () => client.texts
  const [seen] = trades
  await until('the same trade on the wire', () => wired().some(text => text.includes(`"trade_id":"${seen?.id ?? ''}"`)))
  const text = wired().find(one => one.includes(`"trade_id":"${seen?.id ?? ''}"`)) ?? ''
  const { data } = (JSON.parse(text) as { params: { data: Record<string, unknown>[] } }).params
  const own = data.find(trade => trade['trade_id'] === seen?.id)
  t.strictSame(
    { price: own?.['price'], amount: own?.['amount'], direction: own?.['direction'] },
    { price: seen?.price, amount: seen?.info.amount, direction: seen?.info.direction },
    'a trade as it was sent',
  )
  await until('the same ticker on the wire', () => wired().some(one => one.includes(`"last_price":${ticker.last}`)))
  t.ok((await clientOfOthers.fetchOrderBook(SYMBOL)).bids.length > 0)
  t.ok((await clientOfOthers.fetchTrades(SYMBOL)).length > 0)
  t.ok((await clientOfOthers.fetchTicker(SYMBOL)).last > 0)
})
