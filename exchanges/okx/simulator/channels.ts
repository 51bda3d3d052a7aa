import { SUBJECTS, tradesSubject, type Feed } from '../../../simulator/feed.js'
import type { Json } from '../../../simulator/json.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import { argOf } from '../names.js'
import { BookFeed, TopFeed } from './book-feeds.js'
import { ChangeFeed, EventFeed, StateFeed } from './feeds.js'
import {
  blockRow,
  candleRow,
  fillRow,
  fundingRow,
  indexRow,
  instrumentRow,
  interestRow,
  limitRow,
  liquidationRow,
  markRow,
  merged,
  mergedRow,
  optionTradeRow,
  structuredRow,
  summaryRow,
  tickerRow,
} from './rows.js'

const TYPES: readonly string[] = ['SPOT', 'MARGIN', 'SWAP', 'FUTURES', 'OPTION']
/** One trade in so many ends somebody's position. */
const LIQUIDATED_IN = 40n
const UNIT_MINUTES: Readonly<Record<string, number>> = { m: 1, H: 60, D: 1440 }

/** The feed of a channel, by our name of it; undefined for one that there is not now. */
export function openFeed(channel: string, market: Market): Feed | undefined {
  const arg = argOf(channel)
  if (!arg) return undefined
  // An index is called as a spot pair is.
  if (arg.channel === 'index-tickers') return ofIndex(arg.instId ?? '', market)
  const listing = market.listings.get(arg.instId ?? '')
  if (listing) return ofInstrument(arg.channel, listing, market)
  if (arg.instFamily !== undefined) return ofFamily(arg.channel, arg.instFamily, market)
  if (arg.instType !== undefined) return ofType(arg.channel, arg.instType, market)
  if (arg.channel === 'public-struc-block-trades') return new StateFeed(market, 60_000, ms => [structuredRow(ms)])
  return arg.channel === 'status'
    ? new EventFeed(
        market,
        [],
        () => [],
        () => [LAST_MAINTENANCE],
      )
    : undefined
}

function ofInstrument(channel: string, listing: Listing, market: Market): Feed | undefined {
  const { name, instrument } = listing
  const isDerivative = instrument.kind !== 'spot'
  const state = (everyMs: number, rowOf: (ms: number) => Json | undefined) =>
    new StateFeed(market, everyMs, ms => {
      const row = rowOf(ms)
      return row === undefined ? undefined : [row]
    })
  switch (channel) {
    case 'books':
      return new BookFeed(market, listing)
    case 'books-rpi':
      return new BookFeed(market, listing, true)
    case 'bbo-tbt':
      return new TopFeed(market, listing, 1, 10)
    case 'books5':
      return new TopFeed(market, listing, 5, 100)
    case 'trades':
      return trades(listing, market)
    case 'trades-all':
      return new EventFeed(market, [name], event =>
        event.type === 'trades' ? event.trades.map(trade => fillRow(listing, trade)) : [],
      )
    case 'tickers':
      return new ChangeFeed(market, name, 100, ms => [tickerRow(listing, ms)])
    case 'price-limit':
      return state(5000, ms => limitRow(listing, market, ms))
    case 'mark-price':
      return isDerivative ? state(1000, ms => markRow(listing, market, ms)) : undefined
    case 'open-interest':
      return isDerivative ? state(5000, ms => interestRow(listing, market, ms)) : undefined
    case 'funding-rate':
      return instrument.kind === 'perpetual' ? state(30_000, ms => fundingRow(listing, market, ms)) : undefined
    case 'public-block-trades':
      return state(60_000, ms => blockRow(listing, market, ms))
    case 'block-tickers':
      return state(60_000, ms => ({
        ...{ instType: instrument.category, instId: name, volCcy24h: '12.5', vol24h: '1250', ts: String(ms) },
      }))
    case 'call-auction-details':
      return state(60_000, ms => ({
        ...{ instId: name, eqPx: '1.5', matchedSz: '10', unmatchedSz: '2', auctionEndTime: String(ms), ts: String(ms) },
        state: 'continuous_trading',
      }))
    case 'estimated-price':
      return isDerivative ? new EventFeed(market, [], () => []) : undefined
    default:
      return candles(channel, listing, market)
  }
}

/** The last trade comes at once, however old it is; what one order took at one price comes as one. */
function trades(listing: Listing, market: Market): Feed {
  return new EventFeed(
    market,
    [listing.name],
    event => (event.type === 'trades' ? merged(event.trades).map(group => mergedRow(listing, group)) : []),
    () => {
      const last = listing.trades.all.at(-1)
      return last ? [mergedRow(listing, { last, count: 1, amount: last.amount })] : []
    },
  )
}

function candles(channel: string, listing: Listing, market: Market): Feed | undefined {
  const [, count = '', unit = ''] = /^candle(\d+)([mHD])$/.exec(channel) ?? []
  const minutes = Number(count) * (UNIT_MINUTES[unit] ?? NaN)
  if (!(minutes > 0)) return undefined
  return new ChangeFeed(market, listing.name, 1000, ms => {
    const row = candleRow(listing, minutes, ms)
    return row && [row]
  })
}

function ofIndex(index: string, market: Market): Feed | undefined {
  return market.indices.has(index) ? new StateFeed(market, 1000, ms => [indexRow(index, market, ms)]) : undefined
}

function ofFamily(channel: string, family: string, market: Market): Feed | undefined {
  const options = () =>
    [...market.listings.values()].filter(
      ({ instrument }) => instrument.kind === 'option' && instrument.underlying === family,
    )
  const first = options()[0]
  if (!first) return undefined
  if (channel === 'opt-summary')
    return new StateFeed(market, 2000, ms => options().map(listing => summaryRow(listing, market, ms)))
  if (channel !== 'option-trades') return undefined
  return new EventFeed(market, [tradesSubject('OPTION', first.instrument.settle)], event =>
    event.type === 'trades' && event.listing.instrument.underlying === family
      ? event.trades.map(trade => optionTradeRow(event.listing, trade, market))
      : [],
  )
}

function ofType(channel: string, type: string, market: Market): Feed | undefined {
  if (!TYPES.includes(type)) return undefined
  if (channel === 'instruments')
    return new EventFeed(market, [SUBJECTS.state], event =>
      event.type === 'state' && event.listing.instrument.category === type ? [instrumentRow(event.listing)] : [],
    )
  if (channel !== 'liquidation-orders') return undefined
  return new EventFeed(market, [tradesSubject(type, 'any')], event =>
    event.type === 'trades'
      ? event.trades
          .filter(({ matchId }) => matchId % LIQUIDATED_IN === 0n)
          .map(trade => liquidationRow(event.listing, trade))
      : [],
  )
}

const LAST_MAINTENANCE = {
  begin: '1764666600000',
  end: '1764667800000',
  env: '1',
  href: '',
  maintType: '1',
  preOpenBegin: '',
  scheDesc: '',
  serviceType: '11',
  state: 'completed',
  system: 'unified',
  title: 'Copy trading system scheduled maintenance',
  ts: '1764667948527',
}
