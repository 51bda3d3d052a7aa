import type { Json } from '../../../../simulator/json.js'
import type { MarketEvent } from '../../../../simulator/market/events.js'
import { instrumentFields, STATE_WORDS } from '../instrument-fields.js'
import type { Listing } from '../../../../simulator/market/listing.js'
import type { Market } from '../../../../simulator/market/market.js'
import type { Trade } from '../../../../simulator/market/trades.js'
import { Feed, SUBJECTS, tradesSubject } from '../../../../simulator/feed.js'
import { AT_ONCE } from '../intervals.js'

/** Whether a channel about instruments of a kind and currency wants this one. */
export function concerns({ instrument }: Listing, kind: string, currency: string): boolean {
  return (kind === 'any' || kind === instrument.category) && (currency === 'any' || currency === instrument.settle)
}

/** `instrument.state.{kind}.{currency}` and `instrument.creation.{kind}.{currency}`. */
export class InstrumentNewsFeed extends Feed {
  readonly subjects: readonly string[]
  private pending: Json | undefined

  constructor(
    market: Market,
    private readonly news: 'state' | 'created',
    private readonly kind: string,
    private readonly currency: string,
  ) {
    super(market, AT_ONCE)
    this.subjects = [SUBJECTS[news]]
  }

  override first(): Json[] {
    return []
  }

  override take(event: MarketEvent): boolean {
    if (event.type !== this.news || !concerns(event.listing, this.kind, this.currency)) return false
    const { instrument, state, name } = event.listing
    this.pending =
      event.type === 'state'
        ? { timestamp: event.ms, state: STATE_WORDS[state], instrument_name: name }
        : { ...instrumentFields(instrument, state), timestamp: event.ms }
    return true
  }

  override drain(): Json | undefined {
    const data = this.pending
    this.pending = undefined
    return data
  }
}

/** `platform_state`: at first one frame per index. Later ones come from faults (maintenance). */
export class PlatformStateFeed extends Feed {
  readonly subjects: readonly string[] = []

  override first(): Json[] {
    return this.market.indices.names.map(index => ({ locked: false, price_index: index, reasons: [] }))
  }

  override take(): boolean {
    return false
  }

  override drain(): undefined {
    return undefined
  }
}

/** Channels that say something once, or never: announcements, method states, confirmations. */
export class SilentFeed extends Feed {
  readonly subjects: readonly string[] = []

  constructor(
    market: Market,
    private readonly opening?: Json,
  ) {
    super(market, AT_ONCE)
  }

  override first(): readonly Json[] {
    return this.opening === undefined ? [] : [this.opening]
  }

  override take(): boolean {
    return false
  }

  override drain(): undefined {
    return undefined
  }
}

/** `block_rfq.trades.{currency}`: blocks that came out of a request for quotes. */
export class BlockRfqFeed extends Feed {
  readonly subjects: readonly string[]
  private pending: Trade | undefined

  constructor(market: Market, currency: string) {
    super(market, AT_ONCE)
    this.subjects = ['future', 'option'].map(kind => tradesSubject(kind, currency))
  }

  override first(): Json[] {
    return []
  }

  override take(event: MarketEvent): boolean {
    this.pending = event.type === 'trades' ? event.trades.find(({ rfqId }) => rfqId !== undefined) : undefined
    return this.pending !== undefined
  }

  override drain(): Json | undefined {
    const trade = this.pending
    this.pending = undefined
    return trade && blockRfqFields(trade, this.market)
  }
}

export function blockRfqFields(trade: Trade, market: Market): Json {
  const { price, amount, direction, instrumentName } = trade
  const index = market.find(instrumentName)?.instrument.index ?? ''
  return {
    id: trade.rfqId ?? 0,
    timestamp: trade.timestampMs,
    amount,
    direction,
    mark_price: trade.markPrice,
    trades: [{ price, amount, direction }],
    legs: [{ price, direction, instrument_name: instrumentName, ratio: 1 }],
    combo_id: null,
    index_prices: { [index]: trade.indexPrice },
  }
}
