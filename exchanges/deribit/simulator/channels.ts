import { BookFeed, GroupedBookFeed } from './feeds/book-feed.js'
import { BlockRfqFeed, InstrumentNewsFeed, PlatformStateFeed, SilentFeed } from './feeds/exchange-feeds.js'
import { tradesSubject, type Feed } from '../../../simulator/feed.js'
import * as indexFeeds from './feeds/index-feeds.js'
import * as instrumentFeeds from './feeds/instrument-feeds.js'
import { CATEGORIES } from './instrument-names.js'
import { AT_ONCE, INTERVALS } from './intervals.js'
import { RESOLUTIONS } from './resolutions.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'

/** The part of a channel name after its family, cut at dots; what does not fit the grammar gives no feed. */
type Opener = (rest: readonly string[], market: Market, beginsAnew: () => boolean) => Feed | undefined

const GROUPS: readonly string[] = ['none', '1', '2', '5', '10', '25', '100', '250']
const DEPTHS: readonly string[] = ['1', '10', '20']
const GROUPED_INTERVALS: readonly string[] = ['100ms', 'agg2']
const CURRENCIES: readonly string[] = ['BTC', 'ETH', 'USDC', 'USDT', 'EURR', 'any']
const VOLATILITY_INDICES: readonly string[] = ['btc_usd', 'eth_usd']

/** An instrument that trades; closed ones cannot be subscribed. */
function open(market: Market, name: string | undefined): Listing | undefined {
  return market.listings.get(name ?? '')
}

function isKind(text: string | undefined, ...also: string[]): text is string {
  return text !== undefined && [...CATEGORIES, ...also].includes(text)
}

function isCurrency(text: string | undefined): text is string {
  return text !== undefined && CURRENCIES.includes(text)
}

function openBook(rest: readonly string[], market: Market, beginsAnew: () => boolean): Feed | undefined {
  const [name, second, depth, last] = rest
  const listing = open(market, name)
  if (!listing) return undefined
  if (rest.length === 2) {
    const paceMs = INTERVALS.get(second ?? '')
    return paceMs !== undefined ? new BookFeed(market, listing, paceMs, beginsAnew) : undefined
  }
  if (rest.length !== 4 || !GROUPS.includes(second ?? '') || !DEPTHS.includes(depth ?? '')) return undefined
  const paceMs = INTERVALS.get(last ?? '')
  if (paceMs === undefined || !GROUPED_INTERVALS.includes(last ?? '')) return undefined
  return new GroupedBookFeed(market, listing, groupTicks(second ?? '', listing), Number(depth), paceMs)
}

/** Groups are given in whole USD for BTC, in hundredths elsewhere. */
function groupTicks(group: string, { instrument }: Listing): number {
  if (group === 'none') return 1
  const width = instrument.base === 'BTC' ? Number(group) : Number(group) / 100
  return Math.max(1, Math.round(instrument.grid.toTicks(width)))
}

function openTrades(rest: readonly string[], market: Market): Feed | undefined {
  const [first, second, third] = rest
  if (rest.length === 2) {
    const listing = open(market, first)
    const paceMs = INTERVALS.get(second ?? '')
    return listing && paceMs !== undefined ? new instrumentFeeds.TradesFeed(market, [listing.name], paceMs) : undefined
  }
  const paceMs = INTERVALS.get(third ?? '')
  if (rest.length !== 3 || paceMs === undefined || !isKind(first) || !isCurrency(second)) return undefined
  return new instrumentFeeds.TradesFeed(market, [tradesSubject(first, second)], paceMs)
}

/** `{instrument}.{interval}` */
function paced(create: (market: Market, listing: Listing, paceMs: number) => Feed): Opener {
  return (rest, market) => {
    const listing = open(market, rest[0])
    const paceMs = INTERVALS.get(rest[1] ?? '')
    return rest.length === 2 && listing && paceMs !== undefined ? create(market, listing, paceMs) : undefined
  }
}

/** `{instrument}` alone. */
function unpaced(create: (market: Market, listing: Listing) => Feed): Opener {
  return (rest, market) => {
    const listing = open(market, rest[0])
    return rest.length === 1 && listing ? create(market, listing) : undefined
  }
}

/** `{index}` alone. */
function ofIndex(create: (market: Market, index: string) => Feed, names?: readonly string[]): Opener {
  return (rest, market) => {
    const [index = ''] = rest
    const known = market.indices.has(index) && (names?.includes(index) ?? true)
    return rest.length === 1 && known ? create(market, index) : undefined
  }
}

/** `{kind or any}.{currency or any}` */
function ofKind(create: (market: Market, kind: string, currency: string) => Feed): Opener {
  return ([kind, currency, ...more], market) =>
    more.length === 0 && isKind(kind, 'any') && isCurrency(currency) ? create(market, kind, currency) : undefined
}

/** Nothing after the family. */
function silent(opening?: { readonly [key: string]: boolean }): Opener {
  return (rest, market) => (rest.length === 0 ? new SilentFeed(market, opening) : undefined)
}

/** Perhaps a currency after the family. */
function silentByCurrency(rest: readonly string[], market: Market): Feed | undefined {
  return rest.length === 0 || (rest.length === 1 && isCurrency(rest[0])) ? new SilentFeed(market) : undefined
}

/** Every family of channels; the longest name that fits decides. */
const FAMILIES: ReadonlyMap<string, Opener> = new Map(
  Object.entries<Opener>({
    book: openBook,
    trades: openTrades,
    quote: unpaced((market, listing) => new instrumentFeeds.QuoteFeed(market, listing)),
    ticker: paced((market, listing, paceMs) => new instrumentFeeds.TickerFeed(market, listing, paceMs)),
    incremental_ticker: unpaced((market, listing) => new instrumentFeeds.IncrementalTickerFeed(market, listing)),
    perpetual: paced((market, listing, paceMs) => new instrumentFeeds.PerpetualFeed(market, listing, paceMs)),
    'chart.trades': ([name, resolution = '', ...more], market) => {
      const listing = open(market, name)
      const width = RESOLUTIONS.get(resolution)
      if (!listing || more.length > 0 || !width) return undefined
      return new instrumentFeeds.ChartFeed(market, listing, width)
    },
    deribit_price_index: ofIndex((market, index) => new indexFeeds.IndexFeed(market, index, indexFeeds.priceIndex)),
    deribit_price_ranking: ofIndex((market, index) => new indexFeeds.IndexFeed(market, index, indexFeeds.priceRanking)),
    deribit_price_statistics: ofIndex(
      (market, index) => new indexFeeds.IndexFeed(market, index, indexFeeds.priceStatistics, 15),
    ),
    deribit_volatility_index: ofIndex(
      (market, index) => new indexFeeds.IndexFeed(market, index, indexFeeds.volatilityIndex),
      VOLATILITY_INDICES,
    ),
    'markprice.options': ofIndex((market, index) => new indexFeeds.OptionMarksFeed(market, index)),
    estimated_expiration_price: ofIndex(
      (market, index) => new indexFeeds.IndexFeed(market, index, indexFeeds.expirationEstimate),
    ),
    'instrument.state': ofKind((market, kind, currency) => new InstrumentNewsFeed(market, 'state', kind, currency)),
    'instrument.creation': ofKind(
      (market, kind, currency) => new InstrumentNewsFeed(market, 'created', kind, currency),
    ),
    platform_state: (rest, market) => (rest.length === 0 ? new PlatformStateFeed(market, AT_ONCE) : undefined),
    'platform_state.public_methods_state': silent({ allow_unauthenticated_public_requests: true }),
    announcements: silent(),
    block_trade_confirmations: silentByCurrency,
    rfq: silentByCurrency,
    'block_rfq.trades': ([currency, ...more], market) =>
      more.length === 0 && isCurrency(currency) ? new BlockRfqFeed(market, currency) : undefined,
  }),
)

/**
 * The feed of a channel, or undefined for a name that the exchange would drop without a word.
 * @param beginsAnew whether the numbers of a channel's book are ordered to begin anew now
 */
export function openFeed(
  channel: string,
  market: Market,
  beginsAnew: (channel: string) => boolean = () => false,
): Feed | undefined {
  const words = channel.split('.')
  for (const length of [2, 1]) {
    const opener = FAMILIES.get(words.slice(0, length).join('.'))
    if (opener) return opener(words.slice(length), market, () => beginsAnew(channel))
  }
  return undefined
}

/** Raw needs a login. */
export function isRaw(channel: string): boolean {
  return channel.endsWith('.raw')
}
