import type { Json, JsonObject } from '../../../simulator/json.js'
import { HOUR_MS } from '../../../simulator/market/calendar.js'
import { ivAt } from '../../../simulator/market/implied-volatility.js'
import { round } from '../../../simulator/market/index-price.js'
import { isCombo, isOptional, isPerpetual, type Instrument } from '../../../simulator/market/instruments.js'
import type { Listing } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import type { Mark } from '../../../simulator/market/pricing.js'
import { STATE_WORDS } from './instrument-fields.js'

/** The ticker of an instrument as channel and call show it; the set of keys depends on the kind and on its life. */
export function tickerFields(listing: Listing, market: Market, ms: number): JsonObject {
  const { instrument } = listing
  const { kind } = instrument
  const mark = market.pricing.mark(instrument, ms)
  // One object filled in order: this is the most frequent of the large frames.
  const fields: Record<string, Json> = { timestamp: ms, state: STATE_WORDS[listing.state], stats: statsFields(listing) }
  if (kind === 'option') fields['greeks'] = greeks(mark)
  fields['index_price'] = mark.index
  fields['instrument_name'] = listing.name
  fields['last_price'] = listing.lastPrice ?? null
  if (kind === 'spot')
    return Object.assign(fields, priceLimits(listing, mark), { mark_price: mark.price }, best(listing))
  const expired = listing.state === 'delivered' || listing.state === 'archived'
  if (listing.settlementPrice !== undefined && !expired) fields['settlement_price'] = listing.settlementPrice
  Object.assign(fields, priceLimits(listing, mark))
  if (!isCombo(instrument)) fields['open_interest'] = listing.openInterest
  fields['mark_price'] = mark.price
  if (isPerpetual(instrument)) Object.assign(fields, fundingFields(listing, market, ms))
  if (kind === 'option') fields['interest_rate'] = 0
  fields['estimated_delivery_price'] = expired ? 'expired' : mark.index
  if (listing.deliveryPrice !== undefined) fields['delivery_price'] = listing.deliveryPrice
  Object.assign(fields, best(listing))
  if (kind === 'option') Object.assign(fields, impliedVolatilities(listing, market, mark))
  if (isCombo(instrument)) Object.assign(fields, impliedPrices(listing))
  return fields
}

function fundingFields({ instrument }: Listing, { funding }: Market, ms: number): JsonObject {
  const current = funding.current(instrument)
  const accrued = current * ((ms / HOUR_MS) % 24)
  return {
    // Accrued since 08:00; as odd as the exchange's on linear contracts.
    interest_value: instrument.linear ? accrued * 1e8 : accrued,
    current_funding: current,
    funding_8h: funding.eightHours(instrument, ms),
  }
}

/** An empty side is price 0.0 and amount 0.0. */
export function best(listing: Listing): Record<string, number> {
  const { bestBid, bestAsk } = listing.book
  return {
    best_ask_price: bestAsk ? listing.priceOf(bestAsk.ticks) : 0,
    best_bid_price: bestBid ? listing.priceOf(bestBid.ticks) : 0,
    best_ask_amount: bestAsk ? listing.amountOf(bestAsk.units) : 0,
    best_bid_amount: bestBid ? listing.amountOf(bestBid.units) : 0,
  }
}

export function statsFields(listing: Listing): JsonObject {
  const { day, instrument, lastPrice } = listing
  const traded = day.open !== undefined
  const change = traded && lastPrice !== undefined && day.open ? round((lastPrice / day.open - 1) * 100, 4) : null
  const option = instrument.kind === 'option'
  const usd = traded ? round(day.volumeUsd, 2) : 0
  const stats: Record<string, Json> = {
    high: day.high ?? null,
    low: day.low ?? null,
    price_change: change,
    volume: traded ? round(day.volume, 8) : option ? 0 : null,
  }
  if (instrument.kind !== 'spot') stats['volume_usd'] = traded || option ? usd : null
  const hasNotional = option ? instrument.linear : instrument.kind !== 'spot' && !isCombo(instrument)
  if (hasNotional) stats['volume_notional'] = usd
  return stats
}

function greeks({ value }: Mark): JsonObject {
  return {
    delta: round(value?.delta ?? 0, 5),
    gamma: round(value?.gamma ?? 0, 5),
    vega: round(value?.vega ?? 0, 5),
    theta: round(value?.theta ?? 0, 5),
    rho: round(value?.rho ?? 0, 5),
  }
}

/** The band in which orders are taken. */
function priceLimits({ instrument }: Listing, mark: Mark): { min_price: number; max_price: number } {
  const { grid } = instrument
  const spread = isCombo(instrument) || instrument.kind === 'option' ? mark.forward * 0.04 : mark.exact * 0.015
  const width = isOptional(instrument) && !instrument.linear ? spread / mark.forward : spread
  const low = grid.snap(grid.toTicks(mark.exact - width), 'floor')
  const high = grid.snap(grid.toTicks(mark.exact + width), 'ceil')
  return { min_price: grid.toPrice(isCombo(instrument) ? low : Math.max(low, 1)), max_price: grid.toPrice(high) }
}

/** In percent. 0.0 says no bid, 500.0 an ask beyond all volatility. */
function impliedVolatilities(listing: Listing, market: Market, mark: Mark): JsonObject {
  const { bestBid, bestAsk } = listing.book
  return {
    mark_iv: round((mark.iv ?? 0) * 100, 2),
    bid_iv: bestBid ? ivAt(listing, mark, listing.priceOf(bestBid.ticks)) : 0,
    ask_iv: bestAsk ? ivAt(listing, mark, listing.priceOf(bestAsk.ticks)) : 0,
    underlying_price: round(mark.forward, 4),
    underlying_index: underlyingIndexOf(listing.instrument, market),
  }
}

/** `BTC-25DEC26` where that future trades, else a synthetic one. */
export function underlyingIndexOf({ underlying, name }: Instrument, market: Market): string {
  const dated = `${underlying}-${name.slice(underlying.length + 1).split('-')[0] ?? ''}`
  return market.listings.has(dated) ? dated : `SYN.${dated}`
}

function impliedPrices(listing: Listing): JsonObject {
  const { bestBid, bestAsk } = listing.book
  return {
    implied_bid: bestBid ? listing.priceOf(bestBid.ticks - 1) : 0,
    implied_ask: bestAsk ? listing.priceOf(bestAsk.ticks + 1) : 0,
    combo_state: listing.state === 'open' ? 'active' : 'inactive',
  }
}
