import { fillBook, moveBook } from './book-maker.js'
import { nextTimeOfDay } from './calendar.js'
import { Catalogue } from './catalogue.js'
import type { MarketListener } from './events.js'
import { Funding } from './funding.js'
import { IndexPrices } from './index-price.js'
import { isCombo, isPerpetual, type Instrument } from './instruments.js'
import { Listing, temperament, type InstrumentState } from './listing.js'
import { ListingPicker } from './listing-picker.js'
import type { IndexSource, ListingPlan } from './listing-plan.js'
import { Pricing, type ExpirySurface } from './pricing.js'
import { Random } from './random.js'
import { takeFromBook, writeBlock, writeCombo, type TradeDesk } from './taker.js'
import { TRADE_HISTORY_PER_CURRENCY, TradeTape, type Trade } from './trades.js'

/** Expired instruments that can still be asked for. */
const EXPIRED_KEPT = 2_000
/** Between `settling` and `delivered`, and on to `archived`. */
const SETTLEMENT_MS = 2_000
const ARCHIVE_AFTER_MS = 600_000
/** New instruments of the day appear within this time after the settlement. */
const RENEWAL_WINDOW_MS = 9 * 60_000
const TRADE_SHARE = 0.12
const BLOCK_SHARE = 0.02
/** Events of the simulated minute before the start, so that the market opens with some history. */
const WARM_UP_EVENTS = 3_000
const WARM_UP_MS = 60_000

export interface MarketOptions {
  seed: number
  /** When the simulated clock starts, ms since the epoch. */
  startMs: number
  /** Simulated time of one step, ms. */
  stepMs: number
  /** Book changes and taker orders per step, may be a fraction. */
  eventsPerStep: number
  /** How many options to list. */
  options: number
  /** Levels per side of perpetuals and spot. */
  depth: number
  /** A new strike about this often, besides those of each day; 0 for never. */
  newInstrumentEveryMs: number
  /** Indices, premium and volatility stay as they are at the start: what happens is known to follow one surface. */
  isStill?: boolean
}

/** What a recording says of instruments and indices. */
export interface RecordedListings {
  instruments: readonly Instrument[]
  indices: readonly IndexSource[]
}

interface Deadline {
  atMs: number
  run: (ms: number) => void
}

/**
 * The market that the simulator makes. It moves only in `step`, always by the same simulated time, and takes every
 * chance from one seed: the same options give the same books, trades and ids, whoever is subscribed.
 */
export class Market {
  readonly listings = new Map<string, Listing>()
  readonly expired = new Map<string, Listing>()
  readonly indices: IndexPrices
  readonly pricing: Pricing
  readonly funding: Funding
  nowMs: number
  /** Trades by currency, oldest first. */
  private readonly currencyTapes = new Map<string, TradeTape>()
  private readonly random: Random
  private readonly desk: TradeDesk
  private readonly catalogue: Catalogue
  private readonly picker = new ListingPicker()
  private deadlines: Deadline[] = []
  private listener: MarketListener = () => undefined
  private eventsOwed = 0
  private lastSecondMs: number

  /** `recorded`: what is listed in place of the plan's; such a market opens with empty books and no history. */
  constructor(
    private readonly plan: ListingPlan,
    readonly options: MarketOptions,
    recorded?: RecordedListings,
  ) {
    this.random = new Random(options.seed)
    const { instruments, indices = plan.indices } = recorded ?? {}
    this.nowMs = instruments ? options.startMs : options.startMs - WARM_UP_MS
    this.lastSecondMs = this.nowMs
    this.indices = new IndexPrices(indices, this.random)
    this.pricing = new Pricing(
      this.indices,
      plan.underlyings,
      name => this.listings.get(name)?.instrument,
      options.seed,
    )
    this.funding = new Funding(this.pricing, this.indices, options.seed)
    this.desk = { pricing: this.pricing, numbers: plan.numbers(this.random), random: this.random }
    this.catalogue = new Catalogue(plan, options.options, index => this.indices.price(index), this.random)
    for (const instrument of instruments ?? this.catalogue.initial(this.nowMs))
      this.open(instrument, instruments === undefined)
    this.picker.rebuild(this.listings.values())
    if (instruments) return
    this.at(nextTimeOfDay(this.nowMs, plan.settlesAtMs), ms => this.settleDay(ms))
    this.scheduleNewStrike()
    this.warmUp()
  }

  /** The one who hears of everything that happens. */
  listen(listener: MarketListener): void {
    this.listener = listener
  }

  find(name: string): Listing | undefined {
    return this.listings.get(name) ?? this.expired.get(name)
  }

  /** The newest trades of all that settle in a currency, oldest first. */
  tradesOf(settle: string): readonly Trade[] {
    return this.currencyTapes.get(settle)?.all ?? []
  }

  /** What the options of each expiry are marked by now, in the order of expiries. */
  surfaces(): ExpirySurface[] {
    const expiries = new Map<string, Instrument>()
    for (const { instrument } of this.listings.values())
      if (instrument.kind === 'option') expiries.set(`${instrument.underlying} ${instrument.expiryMs}`, instrument)
    return [...expiries.values()]
      .map(instrument => this.pricing.surface(instrument, this.nowMs))
      .sort((a, b) => a.expiryMs - b.expiryMs)
  }

  /** Moves the market by one step. */
  step(): void {
    const { stepMs, eventsPerStep } = this.options
    const from = this.nowMs
    this.runDeadlines(from)
    if (from - this.lastSecondMs >= 1000) this.second(from)
    this.eventsOwed += eventsPerStep
    const count = Math.floor(this.eventsOwed)
    this.eventsOwed -= count
    for (let event = 0; event < count; event++) this.happen(from + Math.floor((event / count) * stepMs))
    this.nowMs = from + stepMs
  }

  /** Leaves out the events of `steps` steps, when the clock of the world ran away. */
  skip(steps: number): void {
    this.nowMs += steps * this.options.stepMs
  }

  /** Lists one more option now, as users' demand does at any time of day. */
  listNewStrike(): Listing | undefined {
    const instrument = this.catalogue.nextStrike(this.nowMs, name => this.find(name) !== undefined)
    return instrument && this.create(instrument, this.nowMs)
  }

  /** Expires an instrument now: settling, then delivered; archived after some minutes. */
  expire(name: string): Listing | undefined {
    const listing = this.listings.get(name)
    if (listing) this.settle(listing, this.nowMs)
    return listing
  }

  /** The next trade of an instrument is its first again, by its number. */
  renumber(name: string): void {
    const listing = this.listings.get(name)
    if (listing) listing.tradeSeq = 0
  }

  private warmUp(): void {
    for (let event = 0; event < WARM_UP_EVENTS; event++) {
      const ms = this.options.startMs - WARM_UP_MS + Math.floor((event / WARM_UP_EVENTS) * WARM_UP_MS)
      if (ms - this.lastSecondMs >= 1000) this.second(ms)
      this.happen(ms)
    }
    this.nowMs = this.options.startMs
  }

  private second(ms: number): void {
    const seconds = (ms - this.lastSecondMs) / 1000
    this.lastSecondMs = ms
    if (this.options.isStill !== true) {
      this.indices.advance(seconds, this.random)
      this.pricing.advance(seconds, this.random)
    }
    this.listener({ type: 'second', ms })
  }

  /** One thing happens somewhere. */
  private happen(ms: number): void {
    const listing = this.picker.pick(this.random)
    if (listing?.state !== 'open') return
    const direction = this.random.chance(0.5) ? 'buy' : 'sell'
    if (!this.random.chance(TRADE_SHARE)) {
      const { grid } = listing.instrument
      const fair = grid.toTicks(this.pricing.mark(listing.instrument, ms).exact)
      // A book nobody ever quoted may get its first quotes after all.
      if (listing.book.changeId === 0) fillBook(listing.book, fair, { ...listing.shape, asks: 1 }, grid, this.random)
      else moveBook(listing.book, fair, listing.shape, grid, this.random)
    } else if (isCombo(listing.instrument)) {
      const made = writeCombo(listing, direction, name => this.listings.get(name), this.desk, ms)
      if (made) {
        this.publishTrades(listing, [made.combo], ms)
        for (const [leg, row] of made.legs) this.publishTrades(leg, [row], row.timestampMs)
      }
    } else if (listing.instrument.kind !== 'spot' && this.random.chance(BLOCK_SHARE)) {
      this.publishTrades(listing, [writeBlock(listing, this.desk, ms)], ms)
    } else {
      const rows = takeFromBook(listing, direction, this.desk, ms)
      if (rows.length > 0) this.publishTrades(listing, rows, ms)
    }
    this.publishBook(listing, ms)
  }

  private publishTrades(listing: Listing, trades: readonly Trade[], ms: number): void {
    const { settle } = listing.instrument
    let tape = this.currencyTapes.get(settle)
    if (!tape) this.currencyTapes.set(settle, (tape = new TradeTape(TRADE_HISTORY_PER_CURRENCY)))
    for (const trade of trades) tape.push(trade)
    this.listener({ type: 'trades', listing, trades, ms })
  }

  private publishBook(listing: Listing, ms: number): void {
    const { book } = listing
    const touches = book.takeTouches()
    if (touches.length === 0) return
    const previousId = book.changeId
    book.commit(this.desk.numbers.bookChange(listing.instrument), ms)
    const bestChanged = touches.some(({ side, ticks }) => {
      const best = book[side][0]
      return best === undefined || (side === 'bids' ? ticks >= best.ticks : ticks <= best.ticks)
    })
    this.listener({ type: 'book', listing, touches, previousId, bestChanged, ms })
  }

  private open(instrument: Instrument, old: boolean): Listing {
    const mark = this.pricing.mark(instrument, this.nowMs)
    const fair = instrument.grid.toTicks(mark.exact)
    const { shape, weight } = temperament(instrument, fair, this.options.depth, this.random)
    const listing = new Listing(instrument, shape, weight)
    this.listings.set(instrument.name, listing)
    if (!old) return listing
    fillBook(listing.book, fair, shape, instrument.grid, this.random)
    if (listing.book.takeTouches().length > 0) listing.book.commit(this.desk.numbers.bookChange(instrument), this.nowMs)
    const busy = isPerpetual(instrument)
    listing.tradeSeq = busy ? this.random.int(100_000_000, 280_000_000) : this.random.int(0, 3_000)
    listing.openInterest = listing.amountOf(this.random.int(0, busy ? 80_000_000 : 4_000))
    if (instrument.kind !== 'spot') listing.settlementPrice = mark.price
    return listing
  }

  private create(instrument: Instrument, ms: number): Listing {
    const listing = this.open(instrument, false)
    this.picker.rebuild(this.listings.values())
    this.listener({ type: 'created', listing, ms })
    this.listener({ type: 'state', listing, ms })
    return listing
  }

  /** The day's end: what expires is settled, everything else gets its settlement price, the day's successors come. */
  private settleDay(ms: number): void {
    for (const listing of [...this.listings.values()]) {
      if (listing.instrument.expiryMs <= ms) this.settle(listing, ms)
      else if (listing.instrument.kind !== 'spot') {
        listing.settlementPrice = this.pricing.mark(listing.instrument, ms).price
      }
      listing.day = { open: undefined, high: undefined, low: undefined, volume: 0, volumeUsd: 0 }
    }
    for (const instrument of this.catalogue.renewals(ms, name => this.find(name) !== undefined)) {
      const atMs = ms + this.random.int(1_000, RENEWAL_WINDOW_MS)
      this.at(atMs, now => {
        // Somebody may have asked for it meanwhile.
        if (!this.find(instrument.name)) this.create({ ...instrument, createdMs: Math.floor(now / 1000) * 1000 }, now)
      })
    }
    this.at(nextTimeOfDay(ms, this.plan.settlesAtMs), next => this.settleDay(next))
  }

  private settle(listing: Listing, ms: number): void {
    // It may end by order and by its day.
    if (listing.state !== 'open') return
    this.changeState(listing, 'settling', ms)
    this.at(ms + SETTLEMENT_MS, later => this.deliver(listing, later))
    this.at(ms + ARCHIVE_AFTER_MS, later => this.changeState(listing, 'archived', later))
  }

  private deliver(listing: Listing, ms: number): void {
    const { book, instrument } = listing
    for (const side of ['bids', 'asks'] as const) {
      for (const { ticks } of [...book[side]]) book.set(side, ticks, 0)
    }
    this.publishBook(listing, ms)
    listing.deliveryPrice = this.indices.price(instrument.index)
    this.listings.delete(instrument.name)
    this.expired.set(instrument.name, listing)
    for (const name of this.expired.keys()) {
      if (this.expired.size <= EXPIRED_KEPT) break
      this.expired.delete(name)
    }
    this.picker.rebuild(this.listings.values())
    this.changeState(listing, 'delivered', ms)
  }

  private changeState(listing: Listing, state: InstrumentState, ms: number): void {
    listing.state = state
    this.listener({ type: 'state', listing, ms })
  }

  private scheduleNewStrike(): void {
    const every = this.options.newInstrumentEveryMs
    if (every <= 0) return
    this.at(this.nowMs + Math.round(every * this.random.between(0.5, 1.5)), () => {
      this.listNewStrike()
      this.scheduleNewStrike()
    })
  }

  private at(atMs: number, run: (ms: number) => void): void {
    this.deadlines.push({ atMs, run })
  }

  private runDeadlines(ms: number): void {
    if (!this.deadlines.some(({ atMs }) => atMs <= ms)) return
    const due = this.deadlines.filter(({ atMs }) => atMs <= ms).sort((a, b) => a.atMs - b.atMs)
    this.deadlines = this.deadlines.filter(({ atMs }) => atMs > ms)
    for (const { run } of due) run(ms)
  }
}
