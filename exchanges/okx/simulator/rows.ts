import type { JsonObject } from '../../../simulator/json.js'
import { HOUR_MS, NEVER_MS } from '../../../simulator/market/calendar.js'
import type { Listing, InstrumentState } from '../../../simulator/market/listing.js'
import type { Market } from '../../../simulator/market/market.js'
import type { Level } from '../../../simulator/market/order-book.js'
import type { Trade } from '../../../simulator/market/trades.js'
import { rounded, spelled } from './spelling.js'

/** How often funding is paid. */
const FUNDING_MS = 8 * HOUR_MS

/** Derivatives trade in contracts, spot in coin. */
export function sizeOf({ instrument }: Listing, amount: number): string {
  return instrument.kind === 'spot' ? spelled(amount) : rounded(amount / instrument.contractSize, 8)
}

/** `[price, size, "0", orders]` */
export function level(listing: Listing, { ticks, units }: Level): readonly string[] {
  const orders = units === 0 ? 0 : 1 + (units % 7)
  return [spelled(listing.priceOf(ticks)), sizeOf(listing, listing.amountOf(units)), '0', String(orders)]
}

/** `[price, size, size without RPI, orders]`: of each fifth level half is RPI. */
export function rpiLevel(listing: Listing, { ticks, units }: Level): readonly string[] {
  const [price = '', size = '', , orders = ''] = level(listing, { ticks, units })
  return [price, size, ticks % 5 === 0 ? rounded(Number(size) / 2, 8) : size, orders]
}

/** Fills that come as one: of an order, at one price, one after the other. */
export interface MergedTrade {
  last: Trade
  count: number
  amount: number
}

export function merged(trades: readonly Trade[]): MergedTrade[] {
  const groups: MergedTrade[] = []
  for (const trade of trades) {
    const group = groups.at(-1)
    const isSame = group?.last.price === trade.price && group.last.direction === trade.direction
    if (group && isSame && trade.tradeSeq === group.last.tradeSeq + 1) {
      group.last = trade
      group.count += 1
      group.amount += trade.amount
    } else groups.push({ last: trade, count: 1, amount: trade.amount })
  }
  return groups
}

/** A row of `trades`: the number is that of the last fill. */
export function mergedRow(listing: Listing, { last, count, amount }: MergedTrade): JsonObject {
  return {
    instId: listing.name,
    tradeId: String(last.tradeSeq),
    px: spelled(last.price),
    sz: sizeOf(listing, amount),
    side: last.direction,
    ts: String(last.timestampMs),
    count: String(count),
    source: '0',
    seqId: Number(last.matchId),
  }
}

/** A row of `trades-all` and of answers. */
export function fillRow(listing: Listing, trade: Trade): JsonObject {
  return {
    instId: listing.name,
    side: trade.direction,
    sz: sizeOf(listing, trade.amount),
    px: spelled(trade.price),
    tradeId: String(trade.tradeSeq),
    ts: String(trade.timestampMs),
  }
}

export function optionTradeRow(listing: Listing, trade: Trade, market: Market): JsonObject {
  const mark = market.pricing.mark(listing.instrument, trade.timestampMs)
  return {
    ...fillRow(listing, trade),
    instFamily: listing.instrument.underlying,
    optType: listing.instrument.call ? 'C' : 'P',
    fillVol: rounded((trade.iv ?? 0) / 100, 12),
    fwdPx: rounded(mark.forward, 9),
    idxPx: spelled(trade.indexPrice),
    markPx: spelled(trade.markPrice),
  }
}

/** An empty side is empty text. */
function best(listing: Listing): JsonObject {
  const { bestBid, bestAsk } = listing.book
  return {
    askPx: bestAsk ? spelled(listing.priceOf(bestAsk.ticks)) : '',
    askSz: bestAsk ? sizeOf(listing, listing.amountOf(bestAsk.units)) : '',
    bidPx: bestBid ? spelled(listing.priceOf(bestBid.ticks)) : '',
    bidSz: bestBid ? sizeOf(listing, listing.amountOf(bestBid.units)) : '',
  }
}

export function tickerRow(listing: Listing, ms: number): JsonObject {
  const { day, instrument, lastPrice } = listing
  const isSpot = instrument.kind === 'spot'
  const price = (value: number | undefined) => (value === undefined ? '' : spelled(value))
  const last = listing.trades.all.at(-1)
  return {
    instType: instrument.category,
    instId: listing.name,
    last: price(lastPrice),
    lastSz: last ? sizeOf(listing, last.amount) : '0',
    ...best(listing),
    open24h: price(day.open),
    high24h: price(day.high),
    low24h: price(day.low),
    sodUtc0: price(day.open),
    sodUtc8: price(day.open),
    // Of spot the one is quote, the other base; of all else the one is base, the other contracts.
    volCcy24h: rounded(isSpot ? day.volumeUsd : day.volume, 8),
    vol24h: isSpot ? rounded(day.volume, 8) : rounded(day.volumeUsd / 100, 2),
    ts: String(ms),
  }
}

export function markRow(listing: Listing, market: Market, ms: number): JsonObject {
  const { price } = market.pricing.mark(listing.instrument, ms)
  // A zero that says nothing comes now and then.
  const text = spelled(price)
  const markPx = ms % 7 === 0 && !text.includes('.') ? `${text}.0` : text
  return { instType: listing.instrument.category, instId: listing.name, markPx, ts: String(ms) }
}

export function indexRow(index: string, market: Market, ms: number): JsonObject {
  const { low, high, open } = market.indices.range(index)
  return {
    instId: index,
    idxPx: spelled(market.indices.price(index)),
    high24h: spelled(high),
    sodUtc0: spelled(open),
    open24h: spelled(open),
    low24h: spelled(low),
    sodUtc8: spelled(open),
    ts: String(ms),
  }
}

export function fundingRow(listing: Listing, market: Market, ms: number): JsonObject {
  const next = Math.ceil((ms + 1) / FUNDING_MS) * FUNDING_MS
  const settled = market.funding.history(listing.instrument, ms - FUNDING_MS, ms, ms).at(-1)
  return {
    formulaType: 'withRate',
    fundingRate: rounded(market.funding.current(listing.instrument), 16),
    fundingTime: String(next),
    impactValue: '20000.0000000000000000',
    instId: listing.name,
    instType: 'SWAP',
    interestRate: '0.0001000000000000',
    maxFundingRate: '0.00375',
    method: 'current_period',
    minFundingRate: '-0.00375',
    nextFundingRate: '',
    nextFundingTime: String(next + FUNDING_MS),
    premium: rounded(market.pricing.premium(listing.instrument.underlying), 16),
    prevFundingTime: String(next - FUNDING_MS),
    settFundingRate: rounded(settled?.interest8h ?? 0, 16),
    settState: 'settled',
    ts: String(ms),
  }
}

export function interestRow(listing: Listing, market: Market, ms: number): JsonObject {
  const { index } = market.pricing.mark(listing.instrument, ms)
  const contracts = listing.openInterest / listing.instrument.contractSize
  const coin =
    listing.instrument.linear || listing.instrument.kind === 'option'
      ? listing.openInterest
      : listing.openInterest / index
  return {
    instId: listing.name,
    instType: listing.instrument.category,
    // Sums of floats show their dust.
    oi: `${rounded(contracts, 2)}${contracts % 1 === 0 ? '' : '00000000925'}`,
    oiCcy: rounded(coin, 10),
    oiUsd: rounded(coin * index, 9),
    ts: String(ms - (ms % 3000)),
  }
}

/** Greeks of an option; a side that is missing has a volatility of 0. */
export function summaryRow(listing: Listing, market: Market, ms: number): JsonObject {
  const { value, iv = 0, forward } = market.pricing.mark(listing.instrument, ms)
  const { bestBid, bestAsk } = listing.book
  const coin = (number: number | undefined) => rounded((number ?? 0) / forward, 10)
  return {
    instType: 'OPTION',
    instId: listing.name,
    uly: listing.instrument.index,
    delta: rounded(value?.delta ?? 0, 10),
    gamma: rounded((value?.gamma ?? 0) * forward, 10),
    vega: coin(value?.vega),
    theta: coin(value?.theta),
    lever: '0',
    markVol: rounded(iv, 10),
    bidVol: bestBid ? rounded(iv * 0.99, 10) : '0',
    askVol: bestAsk ? rounded(iv * 1.01, 10) : '0',
    realVol: '',
    deltaBS: rounded(value?.delta ?? 0, 10),
    gammaBS: rounded(value?.gamma ?? 0, 10),
    thetaBS: rounded(value?.theta ?? 0, 9),
    vegaBS: rounded(value?.vega ?? 0, 10),
    ts: String(ms),
    fwdPx: rounded(forward, 9),
    volLv: rounded(iv, 10),
  }
}

export function limitRow(listing: Listing, market: Market, ms: number): JsonObject {
  const { exact } = market.pricing.mark(listing.instrument, ms)
  const { grid } = listing.instrument
  const at = (factor: number) => spelled(grid.toPrice(Math.max(1, grid.snap(grid.toTicks(exact * factor), 'floor'))))
  return {
    instId: listing.name,
    instType: listing.instrument.category,
    buyLmt: at(1.02),
    sellLmt: at(0.98),
    ts: String(ms),
    enabled: true,
  }
}

/** `bar` minutes long, as it stands; undefined before the first trade. */
export function candleRow(listing: Listing, minutes: number, ms: number): readonly string[] | undefined {
  const candle = listing.candles.bar({ minutes, opensAtMs: 0 }, ms)
  if (!candle) return undefined
  const { open, high, low, close, volume, cost } = candle
  const isSpot = listing.instrument.kind === 'spot'
  return [
    String(candle.tickMs),
    ...[open, high, low, close].map(spelled),
    isSpot ? rounded(volume, 8) : sizeOf(listing, listing.instrument.linear ? volume : cost),
    rounded(isSpot ? cost : volume, 8),
    rounded(cost, 8),
    '0',
  ]
}

export function liquidationRow(listing: Listing, trade: Trade): JsonObject {
  const isSell = trade.direction === 'sell'
  const detail = {
    bkLoss: '0',
    bkPx: spelled(trade.price),
    ccy: '',
    posSide: isSell ? 'long' : 'short',
    side: trade.direction,
    sz: sizeOf(listing, trade.amount),
    ts: String(trade.timestampMs),
  }
  const { underlying, index, category } = listing.instrument
  return { details: [detail], instFamily: underlying, instId: listing.name, instType: category, uly: index }
}

const STATES: Readonly<Record<InstrumentState, string>> = {
  open: 'live',
  settling: 'suspend',
  delivered: 'expired',
  archived: 'expired',
}

/** Steps of prices and sizes are texts, what an instrument has not is empty text. */
export function instrumentRow({ instrument, state }: Listing): JsonObject {
  const { kind, contractSize, grid, minAmount } = instrument
  const isSpot = kind === 'spot'
  const isOption = kind === 'option'
  const lot = isSpot ? spelled(minAmount) : rounded(minAmount / contractSize, 8)
  return {
    alias: '',
    auctionEndTime: '',
    baseCcy: isSpot ? instrument.base : '',
    category: '1',
    contTdSwTime: '',
    ctMult: isSpot ? '' : isOption ? spelled(contractSize) : '1',
    ctType: isSpot || isOption ? '' : instrument.linear ? 'linear' : 'inverse',
    ctVal: isSpot ? '' : isOption ? '1' : spelled(contractSize),
    ctValCcy: isSpot ? '' : instrument.linear || isOption ? instrument.base : instrument.quote,
    expTime: instrument.expiryMs === NEVER_MS ? '' : String(instrument.expiryMs),
    futureSettlement: false,
    instFamily: isSpot ? '' : instrument.underlying,
    instId: instrument.name,
    instIdCode: instrument.id,
    instType: instrument.category,
    lever: isOption ? '' : '50',
    listTime: String(instrument.createdMs),
    lotSz: lot,
    maxIcebergSz: '100000000.0000000000000000',
    maxLmtSz: '100000000',
    minSz: lot,
    openType: '',
    optType: isOption ? (instrument.call ? 'C' : 'P') : '',
    quoteCcy: isSpot ? instrument.quote : '',
    ruleType: 'normal',
    settleCcy: isSpot ? '' : instrument.settle,
    state: STATES[state],
    stk: isOption ? spelled(instrument.strike ?? 0) : '',
    tickSz: spelled(grid.tickSize),
    tradeQuoteCcyList: [],
    uly: isSpot ? '' : instrument.index,
    upcChg: [],
  }
}

/** A leg of a block trade of just now. */
export function blockRow(listing: Listing, market: Market, ms: number): JsonObject {
  const { price, iv = 0, forward, index } = market.pricing.mark(listing.instrument, ms)
  const isOption = listing.instrument.kind === 'option'
  return {
    ...{
      instId: listing.name,
      groupId: '',
      tradeId: String(900_000_000_000_000_000n + BigInt(ms)),
      px: spelled(price),
    },
    ...{ sz: '25', side: 'buy', fillVol: isOption ? rounded(iv, 10) : '', fwdPx: isOption ? rounded(forward, 9) : '' },
    ...{ idxPx: spelled(index), markPx: spelled(price), ts: String(ms) },
  }
}

export const structuredRow = (ms: number): JsonObject => ({
  ...{ blockTdId: String(900_000_000_000_000_000n + BigInt(ms)), groupId: '', cTime: String(ms) },
  legs: [
    { instId: 'BTC-USDT-SWAP', px: '80000', sz: '25', side: 'buy', tradeId: '900000000000000001' },
    { instId: 'BTC-USDT', px: '79990', sz: '0.25', side: 'sell', tradeId: '900000000000000002' },
  ],
})
