import type { Feed } from '../../../simulator/feed.js'
import type { BarWidth } from '../../../simulator/market/candles.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import { isFullBook } from '../full-book-frames.js'
import {
  CATEGORIES,
  channelOf,
  isSpot,
  OWN_SOCKETS,
  ownSocketOf,
  topicOf,
  type Category,
  type Socket,
} from '../names.js'
import {
  announcement,
  BookFeed,
  KlineFeed,
  LiquidationFeed,
  limitOf,
  PeriodicFeed,
  TickerFeed,
  TradesFeed,
  type FeedState,
} from './feeds.js'

/** By depth: how often changes of such a book are sent, ms. */
const DEPTHS: Readonly<Record<string, number>> = { 1: 10, 50: 20, 200: 100, 1000: 200 }
const OPTION_DEPTHS: Readonly<Record<string, number>> = { 25: 20, 100: 100 }
const MINUTES: Readonly<Record<string, number>> = {
  ...{ 1: 1, 3: 3, 5: 5, 15: 15, 30: 30, 60: 60, 120: 120, 240: 240, 360: 360, 720: 720 },
  D: 1440,
}
const OF_EXCHANGE = /^(insurance|adlAlert)\.(USDT|USDC|inverse)$/

/** The feed of a topic of a socket; undefined for one that is not known there now. */
export function openTopic(socket: Socket, topic: string, market: Market, state: FeedState): Feed | undefined {
  const whole = openWhole(topic, market)
  if (whole) {
    const isThere = ownSocketOf(topic) === socket || (OF_EXCHANGE.test(topic) && /linear|inverse/.test(socket))
    return isThere ? whole : undefined
  }
  const category = CATEGORIES.find(name => name === socket)
  if (!category) return undefined
  const [head = '', ...rest] = topic.split('.')
  if (category === 'option' && head === 'publicTrade') return openOptionTrades(rest.join('.'), market)
  const args = head === 'orderbook' || head === 'kline' ? rest.slice(0, 1) : []
  const symbol = rest.slice(args.length).join('.')
  const listing = market.listings.get(channelOf(category, symbol))
  if (listing?.instrument.category !== category) return undefined
  return openOf(listing, head, args[0] ?? '', market, state)
}

/** What is about no instrument. */
function openWhole(topic: string, market: Market): Feed | undefined {
  const [head, coin = ''] = topic.split('.')
  switch (topic) {
    case 'system.status':
      return new PeriodicFeed(market, 60_000, ms => ({ ts: ms, type: 'snapshot', data: [announcement(ms)] }))
    case 'rfq.open.public.trades':
      return new PeriodicFeed(market, 60_000, ms => ({ creationTime: ms, data: [rfqTrade(ms)] }))
  }
  if (!OF_EXCHANGE.test(topic)) return undefined
  const pool = { coin, symbols: '1000PEPEUSDT', balance: '2000000.123456' }
  return head === 'insurance'
    ? new PeriodicFeed(market, 1000, ms => ({
        ...{ type: 'snapshot', ts: ms, data: [{ ...pool, updateTime: String(ms) }] },
      }))
    : new PeriodicFeed(market, 1000, ms => ({
        ...{ type: 'snapshot', ts: ms },
        data: [{ c: coin, s: 'BTCUSDT', b: 2000, mb: 2001.5, i_pr: -0.3, pr: 0.01, adl_tt: 10_000, adl_sr: -0.25 }],
      }))
}

const rfqTrade = (ms: number) => ({
  ...{ rfqId: `simulated-${ms}`, strategyType: 'custom', createdAt: String(ms - 5000), updatedAt: String(ms) },
  legs: [{ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', price: '80000', qty: '10', markPrice: '80001.5' }],
})

function openOptionTrades(coin: string, market: Market): Feed | undefined {
  const isKnown = [...market.listings.values()].some(
    ({ instrument: { kind, base } }) => kind === 'option' && base === coin,
  )
  return isKnown ? new TradesFeed(market, { coin }) : undefined
}

function openOf(listing: Listing, head: string, arg: string, market: Market, state: FeedState): Feed | undefined {
  const { category, symbol } = listing.instrument
  const isOption = category === 'option'
  switch (head) {
    case 'publicTrade':
      return new TradesFeed(market, { listing })
    case 'orderbook': {
      const channel = channelOf(category as Category, `orderbook.${arg}.${symbol}`)
      if (arg === 'rpi' && !isOption) return new BookFeed(market, channel, listing, 50, 100, state, 'rpi')
      // Of derivatives it is only announced.
      if (arg === 'full' && category === 'spot')
        return new BookFeed(market, channel, listing, Infinity, 200, state, 'full')
      const paceMs = (isOption ? OPTION_DEPTHS : DEPTHS)[arg]
      return paceMs === undefined ? undefined : new BookFeed(market, channel, listing, Number(arg), paceMs, state)
    }
    case 'tickers':
      return new TickerFeed(market, listing)
    case 'kline': {
      const minutes = isOption ? undefined : MINUTES[arg]
      const width: BarWidth = { minutes: minutes ?? 1, opensAtMs: 0 }
      return minutes === undefined ? undefined : new KlineFeed(market, listing, arg, width)
    }
    case 'allLiquidation':
      return category === 'linear' || category === 'inverse' ? new LiquidationFeed(market, listing) : undefined
    case 'priceLimit':
      return isOption
        ? undefined
        : new PeriodicFeed(market, 300, ms => ({ ts: ms, data: limitOf(market, listing, ms) }))
    default:
      return undefined
  }
}

/** The feed of a channel that somebody asks for: a book of all levels is known to methods from then on. */
export function openFeed(channel: string, market: Market, state: FeedState): Feed | undefined {
  const feed = openChannel(channel, market, state)
  if (feed instanceof BookFeed && isFullBook(channel)) {
    // Changes that nobody was sent.
    state.updates.set(channel, (state.updates.get(channel) ?? 1000) + 1)
    state.fullBooks.set(channel, feed)
  }
  return feed
}

/** The same of a channel, whose category follows from its name and the market. */
export function openChannel(channel: string, market: Market, state: FeedState): Feed | undefined {
  if (isSpot(channel)) return openTopic('spot', topicOf(channel), market, state)
  for (const socket of ['linear', 'inverse', 'option', ...OWN_SOCKETS] as const) {
    const feed = openTopic(socket, channel, market, state)
    if (feed) return feed
  }
  return undefined
}

/** A frame as its category spells it: topic first, then type or time; options have an id besides. */
export function frameText(channel: string, frame: Readonly<Record<string, unknown>>, isOption: boolean): string {
  const topic = topicOf(channel)
  if (ownSocketOf(channel)) return JSON.stringify({ topic, ...frame })
  const { type, ts, data, ...rest } = frame
  if (isOption) {
    const { seq = 0 } = data as { seq?: number }
    return JSON.stringify({ topic, ts, type, id: `${topic}-${seq}-${String(ts)}`, data, ...rest })
  }
  if (!isSpot(channel)) return JSON.stringify({ topic, type, ts, data, ...rest })
  return topic.startsWith('kline.')
    ? JSON.stringify({ type, topic, data, ts, ...rest })
    : JSON.stringify({ topic, ts, type, ...('cs' in rest ? { cs: rest['cs'] } : {}), data, ...rest })
}
