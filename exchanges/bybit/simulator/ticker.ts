import type { JsonObject } from '../../../simulator/json.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import { amountText, plainText, priceText } from './text-numbers.js'

const FUNDING_HOURS = 8
const FUNDING_MS = FUNDING_HOURS * 3_600_000

/** What the exchange says of an instrument now, as its category says it. */
export function tickerOf(market: Market, listing: Listing): JsonObject {
  const { category } = listing.instrument
  if (category === 'spot') return spotTicker(market, listing)
  return category === 'option' ? optionTicker(market, listing) : derivativeTicker(market, listing)
}

function dayOf(listing: Listing, price: (value: number) => string) {
  const { day, lastPrice = 0 } = listing
  const open = day.open ?? lastPrice
  return {
    lastPrice: price(lastPrice),
    prevPrice24h: price(open),
    highPrice24h: price(day.high ?? lastPrice),
    lowPrice24h: price(day.low ?? lastPrice),
    price24hPcnt: plainText(open === 0 ? 0 : lastPrice / open - 1, 6),
  }
}

function spotTicker(market: Market, listing: Listing): JsonObject {
  const price = (value: number) => priceText(listing, value)
  return {
    symbol: listing.instrument.symbol,
    ...dayOf(listing, price),
    volume24h: plainText(listing.day.volume, 6),
    turnover24h: plainText(listing.day.volumeUsd),
    usdIndexPrice: plainText(market.indices.price(listing.instrument.index), 6),
  }
}

function best(listing: Listing) {
  const { bestBid, bestAsk } = listing.book
  const price = (ticks: number | undefined) =>
    ticks === undefined ? undefined : priceText(listing, listing.priceOf(ticks))
  const amount = (units: number | undefined) =>
    units === undefined ? undefined : amountText(listing, listing.amountOf(units))
  return {
    bid: price(bestBid?.ticks),
    bidSize: amount(bestBid?.units),
    ask: price(bestAsk?.ticks),
    askSize: amount(bestAsk?.units),
  }
}

function derivativeTicker(market: Market, listing: Listing): JsonObject {
  const { instrument } = listing
  const isInverse = instrument.category === 'inverse'
  const mark = market.pricing.mark(instrument, market.nowMs)
  const price = (value: number) => priceText(listing, value)
  const { bid = '', bidSize = '', ask = '', askSize = '' } = best(listing)
  const single = listing.openInterest
  const value = (amount: number) => (isInverse ? amount / mark.price : amount * mark.price)
  const isPerpetual = instrument.kind === 'perpetual'
  const { volume, volumeUsd } = listing.day
  return {
    symbol: instrument.symbol,
    tickDirection: ['PlusTick', 'ZeroPlusTick', 'MinusTick', 'ZeroMinusTick'][listing.lastTickDirection] ?? 'PlusTick',
    ...dayOf(listing, price),
    prevPrice1h: price(listing.day.open ?? listing.lastPrice ?? 0),
    markPrice: price(mark.price),
    indexPrice: price(mark.index),
    openInterest: amountText(listing, single * 2),
    openInterestValue: plainText(value(single * 2), 2),
    singleOpenInterest: amountText(listing, single),
    singleOpenInterestValue: plainText(value(single), 2),
    turnover24h: plainText(isInverse ? volume : volumeUsd, 4),
    volume24h: plainText(isInverse ? volumeUsd : volume, 4),
    fundingIntervalHour: isPerpetual ? String(FUNDING_HOURS) : '',
    nextFundingTime: isPerpetual ? String((Math.floor(market.nowMs / FUNDING_MS) + 1) * FUNDING_MS) : '',
    fundingRate: isPerpetual ? plainText(market.funding.current(instrument)) : '',
    bid1Price: bid,
    bid1Size: bidSize,
    ask1Price: ask,
    ask1Size: askSize,
    preOpenPrice: '',
    preQty: '',
    curPreListingPhase: '',
    ...(isPerpetual
      ? {}
      : {
          deliveryTime: new Date(instrument.expiryMs).toISOString().replace('.000', ''),
          basis: price(mark.price - mark.index),
          predictedDeliveryPrice: '0.00',
        }),
  }
}

function optionTicker(market: Market, listing: Listing): JsonObject {
  const { instrument } = listing
  const mark = market.pricing.mark(instrument, market.nowMs)
  const { bid = '0', bidSize = '0', ask = '0', askSize = '0' } = best(listing)
  const iv = plainText(mark.iv ?? 0, 4)
  const { delta = 0, gamma = 0, vega = 0, theta = 0 } = mark.value ?? {}
  const day = dayOf(listing, value => plainText(value))
  return {
    symbol: instrument.symbol,
    bidPrice: bid,
    bidSize,
    bidIv: bid === '0' ? '0' : iv,
    askPrice: ask,
    askSize,
    askIv: ask === '0' ? '0' : iv,
    lastPrice: day.lastPrice,
    highPrice24h: day.highPrice24h,
    lowPrice24h: day.lowPrice24h,
    markPrice: plainText(mark.exact),
    indexPrice: plainText(mark.index),
    markPriceIv: iv,
    underlyingPrice: plainText(mark.forward),
    openInterest: amountText(listing, listing.openInterest),
    turnover24h: plainText(listing.day.volumeUsd),
    volume24h: plainText(listing.day.volume),
    totalVolume: '0',
    totalTurnover: '0',
    delta: plainText(delta),
    gamma: plainText(gamma),
    vega: plainText(vega),
    theta: plainText(theta),
    predictedDeliveryPrice: '0',
    change24h: day.price24hPcnt,
  }
}
