/** What is known of a family of channels, whichever exchange it is of. */

/** Channels whose frames are stored together, and all that is true of each of them. */
export interface Family {
  /** Also the folder of its segments, `channel=<name>`. */
  readonly name: string
  /** What the names of its channels begin with, where that is not its own name. */
  readonly channelsBegin?: string
  /** Parquet table of its rows; without it they are rows of `frames`, which takes whatever has no table of its own. */
  readonly table?: string
  /**
   * `streamed`: the exchange sends it by itself. `polled`: answers of a method that is asked again and again. `own`: what
   * edgetape says or asks, and what was answered; it does not show that data flows.
   */
  readonly comes: 'streamed' | 'polled' | 'own'
  /** Flows all the time while the exchange is open. Others rest by nature: an option may for hours, and so may trades. */
  readonly steady?: true
  /** The longest silence of a steady family that is none, ms, while channels are subscribed that match. */
  readonly silence?: { readonly ms: number; readonly channels?: RegExp }
  /**
   * Which families are lost first when the disk takes nothing and memory is full: 1 first, then 2, …; those without a
   * number come after them, `last` ones at the very end.
   */
  readonly dropOrder?: number | 'last'
  /** What a frame takes in a sealed segment, bytes, right within a factor of three: from recorded frames, or by its length. */
  readonly bytesPerFrame?: number
  /** How it is accounted for; without it nothing is expected of it. */
  readonly coverage?: CoverageFacts
}

/** What the account of a family says and expects. Its table has a row or more for each frame about an instrument or index. */
export interface CoverageFacts {
  /** What people call its data. */
  readonly data: string
  /** A first frame comes on subscribing, so that each instrument must have a row. */
  readonly first?: true
  /** Parts of a row that people ask for by name: the column that shows whether they are there. */
  readonly parts?: readonly { readonly data: string; readonly kind: string; readonly column: string }[]
  /** The exchange lists what was missed once more, and the recorder compares: where lists overlap what came, all is there. */
  readonly listed?: true
  /** What can be counted against a sequence, and what it is counted in. */
  readonly counted?: { readonly what: 'trades' | 'book changes' | 'seconds'; readonly unit: string }
}

/** Families that every exchange has. */
export const commonFamilies: readonly Family[] = [
  // The recorder's own events.
  { name: 'journal', table: 'journal', comes: 'own', dropOrder: 'last' },
  // What was sent.
  { name: 'sent', comes: 'own' },
  // What is understood as nothing else.
  { name: 'other', comes: 'own' },
]
