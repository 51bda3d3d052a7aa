/** An exchange's order books: where they are recorded, and what a frame or a row of them does to a book. */

export interface Books {
  /** The family of channels that bring whole books and their changes; its table has a row for each level that changed. */
  readonly family: string
  /** Families that bring the same of another market, where frames do not say whose they are. */
  readonly further?: readonly string[]
  /** What the names of an instrument's channels begin with, up to a dot. */
  channelsOf(instrument: string): readonly string[]
  /** Of channels of one instrument, that of the full book with the least delay; undefined where none is of a full book. */
  finestOf(channels: readonly string[]): string | undefined
  /**
   * Of a channel that brings changes alone, and whose snapshots are asked for: how long before the answer changes may have
   * been received that follow it, µs; 0 or without it snapshots stand in their order.
   */
  readonly answerLagUs?: (channel: string) => number
  /** Whether a frame of a full book holds all of it; found in its bytes. */
  isSnapshot(frame: Buffer): boolean
  /** What a frame of a full book does, given as the text that was received; undefined where it is not understood. */
  changeOf(text: string): BookChange | undefined
  readonly rows: BookRows
}

/** A snapshot of a book, or a change of it. */
export interface BookChange {
  /** The exchange's time of it, ms since the epoch. */
  readonly exchangeMs: number
  readonly isSnapshot: boolean
  /** The exchange's number of it; of books that come whole each time without a number, their time. */
  readonly changeId: number
  /** The number of the change before it, said by the frame or known since numbers have no holes; snapshots have none. */
  readonly prevChangeId: number | undefined
  readonly bids: readonly BookLevel[]
  readonly asks: readonly BookLevel[]
}

/** An amount of 0 takes the price off the book. */
export type BookLevel = readonly [price: number, amount: number]

/** The same of rows of the table, which has columns `side` (`bid`, `ask`, NULL for a row without a level) and `price`: SQL expressions. */
export interface BookRows {
  /** NULL where the level is not understood. */
  readonly amount: string
  readonly changeId: string
  readonly prevChangeId: string
  readonly isSnapshot: string
}

/** Whether a family brings full books. */
export const bringsBooks = ({ family, further = [] }: Books, name: string) => name === family || further.includes(name)

/** Levels as exchanges spell them that write numbers as texts, price and amount first; undefined where one is not understood. */
export function levelsOf(value: unknown): BookLevel[] | undefined {
  if (!Array.isArray(value)) return undefined
  const levels: BookLevel[] = []
  for (const level of value as unknown[]) {
    const [price, amount] = Array.isArray(level) ? (level as unknown[]).slice(0, 2).map(numberInText) : []
    if (price === undefined || amount === undefined) return undefined
    levels.push([price, amount])
  }
  return levels
}

function numberInText(text: unknown): number | undefined {
  const number = typeof text === 'string' && text !== '' ? Number(text) : NaN
  return Number.isFinite(number) ? number : undefined
}
