import type { Connection, Conversation } from '../../simulator/connection.js'
import type { Instrument, Terms } from '../../simulator/market/instruments.js'
import type { ListingPlan } from '../../simulator/market/listing-plan.js'
import type { Listing } from '../../simulator/market/listing.js'
import type { Market } from '../../simulator/market/market.js'
import type { MarketEvent } from '../../simulator/market/events.js'
import type { Numbers } from '../../simulator/market/numbers.js'
import type { Random } from '../../simulator/market/random.js'
import { Feed } from '../../simulator/feed.js'
import type { Json } from '../../simulator/json.js'
import type { Protocol, Venue } from '../../simulator/protocol.js'

/**
 * An exchange that does not exist, as unlike the real ones as it can be small: symbols repeat between its categories, days
 * end at 16:00, and a client subscribes by sending the name of a channel and nothing else.
 */

const SETTLES_AT_MS = 16 * 3_600_000
const STEPS = { tickSize: 0.5, minAmount: 0.001, contractSize: 0.01 }

const common = { base: 'BTC', quote: 'USDT', basis: 0.05, volatility: 0.5, index: 'BTC' }

export const plainPlan: ListingPlan = {
  indices: [{ name: 'BTC', startPrice: 90_000, decimals: 1, volatility: 0.5 }],
  underlyings: [
    {
      ...common,
      name: 'linear BTC',
      settle: 'USDT',
      linear: true,
      perpetual: STEPS,
      future: STEPS,
      option: { ...STEPS, tickSize: 5, strikeStep: 1000, share: 1 },
    },
    { ...common, name: 'inverse BTC', settle: 'BTC', linear: false, perpetual: { ...STEPS, minAmount: 1 } },
  ],
  spotPairs: [{ base: 'BTC', quote: 'USDT', index: 'BTC', steps: STEPS }],
  settlesAtMs: SETTLES_AT_MS,
  namesOf: terms => {
    const [category, symbol] = [categoryOf(terms), symbolOf(terms)]
    return { name: `${category}:${symbol}`, category, symbol }
  },
  combos: () => [],
  numbers: random => new PlainNumbers(random),
}

function categoryOf({ kind, linear }: Terms): string {
  if (kind === 'spot' || kind === 'option') return kind
  return linear ? 'linear' : 'inverse'
}

function symbolOf({ kind, base, quote, expiryMs, strike, call }: Terms): string {
  const pair = `${base}${quote}`
  if (kind === 'perpetual' || kind === 'spot') return pair
  const day = new Date(expiryMs).toISOString().slice(0, 10)
  return kind === 'future' ? `${pair}@${day}` : `${pair}@${day}/${strike ?? 0}${call ? 'C' : 'P'}`
}

/** Each book counts its own changes, one by one. */
class PlainNumbers implements Numbers {
  readonly #changes = new Map<string, number>()
  #trades = 0

  constructor(private readonly random: Random) {}

  bookChange({ name }: Instrument): number {
    const next = (this.#changes.get(name) ?? 0) + 1
    this.#changes.set(name, next)
    return next
  }

  trade(_instrument: Instrument, ms: number) {
    this.#trades += this.random.int(1, 3)
    return { tradeId: String(this.#trades), matchId: BigInt(this.#trades), matchedNs: BigInt(ms) * 1_000_000n }
  }
}

/** `{category}:{symbol}`: the best bid, at most every 50 ms. */
class BestBidFeed extends Feed {
  readonly subjects: readonly string[]

  constructor(
    market: Market,
    private readonly listing: Listing,
  ) {
    super(market, 50)
    this.subjects = [listing.name]
  }

  override first(): Json[] {
    return [this.drain()]
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'book' && event.bestChanged
  }

  override drain(): Json {
    const { bestBid } = this.listing.book
    return bestBid ? this.listing.priceOf(bestBid.ticks) : null
  }
}

export const plainProtocol: Protocol = {
  plan: plainPlan,
  open: (channel, market) => {
    const listing = market.listings.get(channel)
    return listing && new BestBidFeed(market, listing)
  },
  frame: (channel, data) => `${channel} ${JSON.stringify(data)}`,
  wrap: (channel, data) => `${channel} ${data}`,
  scanner: () => ({
    look: () => undefined,
    listings: () => ({ instruments: [], indices: [] }),
  }),
  serve: venue => ({
    webSocketPaths: ['/public', '/business'],
    httpPath: '/rest',
    connected: (connection, path) => new PlainConversation(connection, path, venue),
    answerHttp: ({ path, query, ip }) => ({ status: 200, text: JSON.stringify({ path, query, ip }) }),
    turnAway: reason => JSON.stringify({ reason }),
    maintain: connections => {
      for (const connection of connections) {
        connection.send('maintenance')
        connection.end(1001, 'maintenance')
      }
    },
  }),
}

class PlainConversation implements Conversation {
  readonly #channels = new Set<string>()

  constructor(
    private readonly connection: Connection,
    path: string,
    private readonly venue: Venue,
  ) {
    connection.send(`welcome to ${path}`)
  }

  heard(frame: Buffer): void {
    const channel = frame.toString()
    const refused = this.venue.faults.subscribeError()
    if (refused) {
      this.connection.send(`refused: ${refused.message}`)
      return
    }
    this.#channels.add(channel)
    this.venue.channels.subscribe(channel, this.connection)
  }

  silenced(): void {
    return
  }

  ended(): void {
    for (const channel of this.#channels) this.venue.channels.unsubscribe(channel, this.connection)
  }
}
