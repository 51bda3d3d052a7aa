import { exportedFrames, type ExportedFrame } from './exported-books.js'
import { rowsOf, type ExportedRow } from './row-stream.js'
import type { ExportGap } from './account.js'
import type { ExportSource, FileSpan } from './source.js'

/** A trade as its row has it: id, side of the taker, price, amount. */
export interface TradeEvent {
  exchangeUs: number
  localUs: number
  id: string
  side: string
  price: number
  amount: number
}

export type MarketEvent = { book: ExportedFrame } | { trade: TradeEvent }

/**
 * Trades and frames of an instrument's book in the order of receipt, in batches; at one moment a trade comes before the
 * change that it caused.
 */
export async function* marketEvents(
  source: ExportSource,
  file: FileSpan & { instrument: string },
): AsyncGenerator<MarketEvent[], { unknown: ExportGap[]; channel: string }> {
  const trades = new Ahead(tradeEvents(source, file))
  let frames: ExportedFrame[] = []
  const books = exportedFrames({ ...source, ...file }, frame => frames.push(frame))
  try {
    for (;;) {
      const step = await books.next()
      const batch: MarketEvent[] = []
      for (const book of frames) {
        for (let trade = await trades.head(); trade && trade.localUs <= book.recvUs; trade = await trades.next())
          batch.push({ trade })
        batch.push({ book })
      }
      frames = []
      yield batch
      if (step.done !== true) continue
      const rest: MarketEvent[] = []
      for (let trade = await trades.head(); trade; trade = await trades.next()) {
        rest.push({ trade })
        if (rest.length >= BATCH) yield rest.splice(0)
      }
      yield rest
      return step.value
    }
  } finally {
    await trades.close()
  }
}

const BATCH = 1024

export async function* tradeEvents(source: ExportSource, file: FileSpan): AsyncGenerator<TradeEvent[], void> {
  for await (const rows of rowsOf(source.session, source.exports.rows.trades, { ...source, ...file }))
    yield rows.map(tradeOf)
}

function tradeOf({ exchangeUs, localUs, values: [id, side, price, amount] }: ExportedRow): TradeEvent {
  return { exchangeUs, localUs, id: String(id), side: String(side), price: Number(price), amount: Number(amount) }
}

/** One after the other of what comes in batches. */
class Ahead<T> {
  readonly #batches: AsyncGenerator<T[], void>
  #batch: T[] = []
  #at = 0

  constructor(batches: AsyncGenerator<T[], void>) {
    this.#batches = batches
  }

  /** The one at hand; undefined at the end. */
  async head(): Promise<T | undefined> {
    while (this.#at >= this.#batch.length) {
      const step = await this.#batches.next()
      if (step.done === true) return undefined
      this.#batch = step.value
      this.#at = 0
    }
    return this.#batch[this.#at]
  }

  next(): Promise<T | undefined> {
    this.#at++
    return this.head()
  }

  async close(): Promise<void> {
    await this.#batches.return()
  }
}
