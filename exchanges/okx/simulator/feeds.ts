import { Feed, SUBJECTS } from '../../../simulator/feed.js'
import type { Json } from '../../../simulator/json.js'
import type { MarketEvent } from '../../../simulator/market/events.js'
import type { Market } from '../../../simulator/market/market.js'

/** What a channel says at a time: `data` of a frame; undefined for nothing. */
export type Content = (ms: number) => readonly Json[] | undefined

const frameOf = (rows: readonly Json[] | undefined): Json[] => (rows && rows.length > 0 ? [{ data: rows }] : [])

/** A channel that says how something stands: at first, and again every so often. */
export class StateFeed extends Feed {
  readonly subjects = [SUBJECTS.second]
  readonly #content: Content
  readonly #everyMs: number
  #sentMs = -Infinity

  constructor(market: Market, everyMs: number, content: Content) {
    super(market, 0)
    this.#everyMs = everyMs
    this.#content = content
  }

  override first(ms: number): readonly Json[] {
    return frameOf(this.#content(ms))
  }

  override take(event: MarketEvent): boolean {
    return event.ms - this.#sentMs >= this.#everyMs
  }

  override drain(ms: number): Json | undefined {
    this.#sentMs = ms
    return frameOf(this.#content(ms))[0]
  }
}

/** A channel that says how an instrument stands, when something happened to it. */
export class ChangeFeed extends Feed {
  readonly subjects: readonly string[]
  readonly #content: Content

  constructor(market: Market, name: string, paceMs: number, content: Content) {
    super(market, paceMs)
    this.subjects = [name]
    this.#content = content
  }

  override first(ms: number): readonly Json[] {
    return frameOf(this.#content(ms))
  }

  override take(event: MarketEvent): boolean {
    return event.type === 'book' || event.type === 'trades'
  }

  override drain(ms: number): Json | undefined {
    return frameOf(this.#content(ms))[0]
  }
}

/** A channel of what happens: a row for each thing, at once. */
export class EventFeed extends Feed {
  readonly subjects: readonly string[]
  readonly #rowsOf: (event: MarketEvent) => readonly Json[]
  readonly #opening: () => readonly Json[]
  #pending: readonly Json[] = []

  /** @param opening what a new subscriber gets at once */
  constructor(
    market: Market,
    subjects: readonly string[],
    rowsOf: (event: MarketEvent) => readonly Json[],
    opening: () => readonly Json[] = () => [],
  ) {
    super(market, 0)
    this.subjects = subjects
    this.#rowsOf = rowsOf
    this.#opening = opening
  }

  override first(): readonly Json[] {
    return frameOf(this.#opening())
  }

  override take(event: MarketEvent): boolean {
    this.#pending = this.#rowsOf(event)
    return this.#pending.length > 0
  }

  override drain(): Json | undefined {
    const rows = this.#pending
    this.#pending = []
    return frameOf(rows)[0]
  }
}
