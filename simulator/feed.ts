import type { Json } from '../exchanges/deribit/simulator/json-text.js'
import type { MarketEvent } from './market/events.js'
import type { Market } from './market/market.js'

/** How often a channel may speak: at once, every 100 ms, or about every second. */
export type Pace = 'at once' | '100ms' | 'agg2'

export const PACE_MS: Record<Pace, number> = { 'at once': 0, '100ms': 100, agg2: 1000 }

/** The intervals that channel names end with. */
export const INTERVALS: ReadonlyMap<string, Pace> = new Map([
  ['raw', 'at once'],
  ['100ms', '100ms'],
  ['agg2', 'agg2'],
])

/** What a feed hears: the name of an instrument, or one of these subjects. */
export const SUBJECTS = { second: '*second', created: '*created', state: '*state' } as const

export function tradesSubject(kind: string, currency: string): string {
  return `*trades ${kind} ${currency}`
}

/**
 * The content of one channel, made once for all who subscribed to it. It hears of the market through `take` and answers
 * with `data` of frames.
 */
export abstract class Feed {
  /** Which events it wants to hear. */
  abstract readonly subjects: readonly string[]
  /** Sent again when it was silent for so long; undefined for channels that stay silent. */
  get repeatAfterMs(): number | undefined {
    return undefined
  }

  /** True where a frame that was pending at a subscription may still reach the newcomer after its first frame. */
  readonly lateAfterSnapshot: boolean = false

  constructor(
    protected readonly market: Market,
    readonly pace: Pace,
  ) {}

  /** Frames for a new subscriber only, perhaps none. Called when nothing is pending. */
  abstract first(ms: number): readonly Json[]

  /** Hears an event; true when there is something to send now, or at the next turn of its pace. */
  abstract take(event: MarketEvent): boolean

  /** What is pending, and then no longer is. */
  abstract drain(ms: number): Json | undefined
}
