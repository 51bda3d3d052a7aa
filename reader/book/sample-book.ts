import { EdgeError } from '../../platform/edge-error.js'
import { momentUs, type Moment } from '../../platform/moment.js'
import type { BookBuilder } from './book-builder.js'
import { BookHistory, type BookHistoryOptions, type WalkCounts } from './book-history.js'

/** A book at one moment. Where it is unknown it has no levels. */
export interface BookSample {
  /** µs since the epoch, of the receive clock. */
  atUs: number
  /** `crossed`: the best bid is not below the best ask, which is as the exchange sent it. */
  state: 'known' | 'crossed' | 'unknown'
  /** Why it is unknown. */
  because: string | undefined
  /** Since when, µs; 0 for always. */
  unknownSinceUs: number | undefined
  channel: string
  /** Of the last change, and when it was received, µs, and made, ms of the exchange's clock. */
  changeId: number | undefined
  recvUs: number | undefined
  exchangeMs: number | undefined
  /** The best first; as many as were asked for. */
  bids: [price: number, amount: number][]
  asks: [price: number, amount: number][]
}

export interface SampleOptions extends BookHistoryOptions {
  from: Moment
  /** Up to but not including this moment. */
  to: Moment
  everyMs: number
  /** Levels of each side. Default: all. */
  top?: number | undefined
}

/** What a span of samples holds. */
export interface SampleCounts extends WalkCounts {
  samples: number
  unknown: number
}

/**
 * The book of an instrument at moments that follow each other at a distance, in batches. A moment's book has every frame
 * that was received up to then. After a missing frame, a gap in the journal or the end of a run it is unknown until the
 * next snapshot.
 * @returns counts of the whole span
 * @throws EdgeError BOOK_NO_DATA, BOOK_NOT_RECORDED, BOOK_SPAN_INVALID, TIME_INVALID
 */
export async function* sampleBook(options: SampleOptions): AsyncGenerator<BookSample[], SampleCounts> {
  const moments = { fromUs: momentUs(options.from), toUs: momentUs(options.to), everyUs: options.everyMs * 1000 }
  if (!(moments.everyUs > 0) || !(moments.toUs > moments.fromUs)) {
    throw new EdgeError('BOOK_SPAN_INVALID', 'wanted a distance above 0 ms, and a span that ends after it begins')
  }
  const history = await BookHistory.open(options)
  try {
    let batch: BookSample[] = []
    const counts = { samples: 0, unknown: 0 }
    const walk = history.walk(moments, (atUs, channel, builder) => {
      const sample = sampleOf(atUs, channel, builder, options.top)
      counts.samples++
      if (sample.state === 'unknown') counts.unknown++
      batch.push(sample)
    })
    for (let step = await walk.next(); step.done !== true; step = await walk.next()) {
      if (batch.length === 0) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
    return { ...history.counts, ...counts }
  } finally {
    history.close()
  }
}

export interface BookAtOptions extends BookHistoryOptions {
  at: Moment
  /** Levels of each side. Default: all. */
  top?: number | undefined
}

/**
 * The book of an instrument at a moment.
 * @throws EdgeError BOOK_NO_DATA, BOOK_NOT_RECORDED, TIME_INVALID
 */
export async function bookAt(options: BookAtOptions): Promise<BookSample> {
  const at = momentUs(options.at)
  for await (const [sample] of sampleBook({ ...options, from: at, to: at + 1, everyMs: 1 })) if (sample) return sample
  throw new Error('a span of one moment has one sample')
}

function sampleOf(atUs: number, channel: string, builder: BookBuilder, top: number | undefined): BookSample {
  const { unknown, changeId, recvUs, exchangeMs, bids, asks } = builder
  if (unknown) {
    const { because, sinceUs: unknownSinceUs } = unknown
    const nothing = { changeId: undefined, recvUs: undefined, exchangeMs: undefined, bids: [], asks: [] }
    return { atUs, state: 'unknown', because, unknownSinceUs, channel, ...nothing }
  }
  return {
    atUs,
    state: builder.isCrossed ? 'crossed' : 'known',
    because: undefined,
    unknownSinceUs: undefined,
    channel,
    changeId,
    recvUs,
    exchangeMs,
    bids: bids.list(top),
    asks: asks.list(top),
  }
}

/** What traders look at first in a book; NaN where a side is empty or the book is unknown. */
export interface BookFigures {
  mid: number
  spread: number
  /** Amounts of the sampled levels. */
  bidAmount: number
  askAmount: number
  /** (bids − asks) / (bids + asks) of these amounts: 1 for bids only, -1 for asks only. */
  imbalance: number
}

export function figuresOf({ bids, asks, state }: BookSample): BookFigures {
  const bid = bids[0]?.[0] ?? NaN
  const ask = asks[0]?.[0] ?? NaN
  const sum = (side: readonly [number, number][]) =>
    state === 'unknown' ? NaN : side.reduce((total, [, amount]) => total + amount, 0)
  const bidAmount = sum(bids)
  const askAmount = sum(asks)
  const imbalance = (bidAmount - askAmount) / (bidAmount + askAmount)
  return { mid: (bid + ask) / 2, spread: ask - bid, bidAmount, askAmount, imbalance }
}
