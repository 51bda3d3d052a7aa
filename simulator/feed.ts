import type { Json } from './json.js'
import type { MarketEvent } from './market/events.js'
import type { Market } from './market/market.js'

/** What a feed hears: the name of an instrument, or one of these subjects. */
export const SUBJECTS = { second: '*second', created: '*created', state: '*state' } as const

/** Trades of a category, of all that settle in a currency, or in `any`. */
export function tradesSubject(category: string, settle: string): string {
  return `*trades ${category} ${settle}`
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
    /** It speaks at most this often, simulated ms; 0: at once. */
    readonly paceMs: number,
  ) {}

  /** Frames for a new subscriber only, perhaps none. Called when nothing is pending. */
  abstract first(ms: number): readonly Json[]

  /** Hears an event; true when there is something to send now, or at the next turn of its pace. */
  abstract take(event: MarketEvent): boolean

  /** What is pending, and then no longer is. */
  abstract drain(ms: number): Json | undefined
}
