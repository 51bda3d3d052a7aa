import { elementsAt } from '../../platform/json-bytes.js'
import type { Frame } from '../frame.js'

/** One trade that was fetched for a hole. */
interface FilledTrade {
  seq: number
  /** When the exchange executed it, µs since the epoch. */
  executedUs: number
  /** The row as it was received. */
  text: string
}

interface TradeRow {
  instrument_name?: unknown
  trade_seq?: unknown
  timestamp?: unknown
}

const TRADES = Buffer.from('"trades":')

/** Rows that take their place in a stream of trades. */
export interface PlacedTrades {
  instrument: string
  rows: string[]
}

/**
 * Trades that were fetched for holes, waiting for their place in the stream: behind the trade before them by `trade_seq`,
 * as soon as they had happened; before the first later one; at the latest where they were recorded.
 */
export class BackfilledTrades {
  /** By instrument, in the order of `trade_seq`. */
  readonly #waiting = new Map<string, FilledTrade[]>()
  /** The last `trade_seq` that went by, of instruments that have something waiting. */
  readonly #lastSeq = new Map<string, number>()

  /** Takes a recorded answer to a question for trades; what is no such answer holds none. */
  add(answer: Buffer): void {
    for (const { instrument, trade } of tradesOf(answer)) {
      const list = this.#waiting.get(instrument)
      if (!list) this.#waiting.set(instrument, [trade])
      else if (!list.some(({ seq }) => seq === trade.seq)) list.push(trade)
    }
    for (const list of this.#waiting.values()) list.sort((a, b) => a.seq - b.seq)
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Forgets what a frame brought by itself: it was no hole, or it came late. */
  notMissing(frame: Frame): void {
    for (const { instrument_name: name, trade_seq: seq } of rowsOf(frame))
      if (typeof name === 'string') this.#take(name, trade => trade.seq === seq)
  }

  /** What has its place before a recorded frame of trades. */
  before(frame: Frame): PlacedTrades[] {
    const spans = new Map<string, { first: number; last: number }>()
    for (const { instrument_name: name, trade_seq: seq } of rowsOf(frame)) {
      if (typeof name !== 'string' || typeof seq !== 'number' || !this.#waiting.has(name)) continue
      const { first = seq, last = seq } = spans.get(name) ?? {}
      spans.set(name, { first: Math.min(first, seq), last: Math.max(last, seq) })
    }
    return [...spans].flatMap(([name, { first, last }]) => {
      const placed = this.#take(name, ({ seq }) => seq < first)
      this.#lastSeq.set(name, last)
      return placed
    })
  }

  /** What has its place at a moment: it had happened by then, and follows the trade that went by last. */
  due(nowUs: number): PlacedTrades[] {
    return [...this.#waiting.keys()].flatMap(name => {
      let last = this.#lastSeq.get(name)
      const placed = this.#take(name, ({ seq, executedUs }) => {
        if (executedUs > nowUs || (last !== undefined && seq !== last + 1)) return false
        last = seq
        return true
      })
      if (last !== undefined) this.#lastSeq.set(name, last)
      return placed
    })
  }

  /** What is left of the rows of an answer where the answer itself stands. */
  atTheLatest(answer: Buffer): PlacedTrades[] {
    const seqs = new Map<string, Set<number>>()
    for (const { instrument, trade } of tradesOf(answer))
      seqs.set(instrument, (seqs.get(instrument) ?? new Set()).add(trade.seq))
    return [...seqs].flatMap(([name, own]) => this.#take(name, ({ seq }) => own.has(seq)))
  }

  #take(instrument: string, isWanted: (trade: FilledTrade) => boolean): PlacedTrades[] {
    const taken: FilledTrade[] = []
    const left: FilledTrade[] = []
    for (const trade of this.#waiting.get(instrument) ?? []) (isWanted(trade) ? taken : left).push(trade)
    if (left.length > 0) this.#waiting.set(instrument, left)
    else this.#waiting.delete(instrument)
    if (taken.length === 0) return []
    return [{ instrument, rows: taken.map(({ text }) => text) }]
  }
}

function tradesOf(answer: Buffer): { instrument: string; trade: FilledTrade }[] {
  const at = answer.indexOf(TRADES)
  if (at < 0) return []
  return [...elementsAt(answer, at + TRADES.length)].flatMap(element => {
    const text = element.toString('utf8')
    const { instrument_name: name, trade_seq: seq, timestamp: ms } = JSON.parse(text) as TradeRow
    if (typeof name !== 'string' || typeof seq !== 'number' || typeof ms !== 'number') return []
    return [{ instrument: name, trade: { seq, executedUs: ms * 1000, text } }]
  })
}

function rowsOf(frame: Frame): TradeRow[] {
  const { params } = frame.json() as { params?: { data?: unknown } }
  return Array.isArray(params?.data) ? (params.data as TradeRow[]) : []
}
