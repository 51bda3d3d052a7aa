import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { SeqRanges, type SeqRange } from '../platform/seq-ranges.js'
import type { Recording } from './adapter.js'
import type { TradeHole, TradeSequences } from './trade-sequences.js'

/** The other connection, or a late frame, may bring a trade that seems to be missing: that is cheaper than to ask. */
const WAIT_US = 2_500_000
const LOOK_EVERY_MS = 500
/** The exchange's history may be behind its frames: what it has not is asked for again before it is given up. */
const ASKED_MAX = 4
const ASK_AGAIN_MS = 2000
/** Where no answer can be had at all, it is tried for ever, this far apart at most. */
const RETRY_MS_MAX = 60_000
/** A journal's line names no more ranges than this. */
const RANGES_MAX = 100

/** Part of a hole that is asked for. */
export interface TradeOrder extends SeqRange {
  hole: TradeHole
  /** What answers brought of it: whoever asks adds to it. */
  got: SeqRanges
}

interface Order extends TradeOrder {
  asked: number
  failures: number
  dueMs: number
}

export interface TradeFillerDeps {
  sequences: TradeSequences
  recording: Recording
  log: Logger
  /** Whose holes they are, where it is not `trades`. */
  family?: string | undefined
  /** The newest so many trades of a hole are asked for; what is older is left out, and the journal says so. */
  tradesPerHoleMax: number
  /** Asks the exchange for what an order still misses, and records the answers. */
  ask: (order: TradeOrder, signal: AbortSignal) => Promise<void>
  /** Whether a refusal says something of the trades asked for: the instrument is not there any more. */
  isNotFound: (error: unknown) => boolean
}

/** Fills the holes of trades from the exchange's history: one order at a time. */
export class TradeFiller {
  readonly #deps: TradeFillerDeps
  #orders: Order[] = []

  constructor(deps: TradeFillerDeps) {
    this.#deps = deps
  }

  /** Holes that are being asked for. */
  get waiting(): number {
    return this.#orders.length
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#takeHoles()
      const due = this.#orders.find(({ dueMs }) => dueMs <= performance.now())
      if (due) await this.#ask(due, signal)
      else await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  #takeHoles(): void {
    const { sequences, recording, log, tradesPerHoleMax } = this.#deps
    for (const { instrument, lastSeq, firstSeq, fromUs, toUs } of sequences.takeRenumberings()) {
      const facts = { instrument, last_seq: lastSeq, first_seq: firstSeq, from_us: fromUs, to_us: toUs }
      recording.journal('trades_renumbered', facts)
      log.warn({ instrument, lastSeq, firstSeq }, 'its trade numbers restarted')
    }
    for (const hole of sequences.takeHoles(recording.nowUs() - WAIT_US)) {
      const { instrument, from, to, fromUs, toUs, cause } = hole
      recording.journal('trade_hole', {
        instrument,
        from_seq: from,
        to_seq: to,
        from_us: fromUs,
        to_us: toUs,
        cause,
        ...this.#ofFamily(),
      })
      log.info({ instrument, from, to }, 'trades are missing; asking for them')
      const askedFrom = Math.max(from, to - tradesPerHoleMax + 1)
      if (askedFrom > from) {
        const message = `left out: more than ${tradesPerHoleMax} trades, the newest of which are asked for`
        this.#report({ instrument, from, to: askedFrom - 1 }, new SeqRanges(), message)
      }
      if (askedFrom > to) continue
      this.#orders.push({ from: askedFrom, to, hole, got: new SeqRanges(), asked: 0, failures: 0, dueMs: 0 })
    }
  }

  async #ask(order: Order, signal: AbortSignal): Promise<void> {
    const { ask, isNotFound } = this.#deps
    try {
      await ask(order, signal)
      order.failures = 0
      this.#answered(order, 'the exchange has no more of them')
    } catch (error) {
      if (signal.aborted) return
      if (isNotFound(error)) this.#answered(order, messageOf(error))
      else this.#unanswered(order, error)
    }
  }

  #answered(order: Order, message: string): void {
    order.asked++
    const missing = order.got.missing(order)
    if (missing.length > 0 && order.asked < ASKED_MAX) {
      order.dueMs = performance.now() + ASK_AGAIN_MS * 2 ** (order.asked - 1)
      this.#toTheEnd(order)
      return
    }
    this.#orders = this.#orders.filter(other => other !== order)
    const { instrument } = order.hole
    this.#report({ instrument, from: order.from, to: order.to }, order.got, missing.length > 0 ? message : undefined)
  }

  #unanswered(order: Order, error: unknown): void {
    const { log } = this.#deps
    order.failures++
    const waitMs = Math.min(RETRY_MS_MAX, 1000 * 2 ** Math.min(order.failures, 16))
    // What cannot be had now for one cannot be had for the others.
    for (const other of this.#orders) other.dueMs = Math.max(other.dueMs, performance.now() + waitMs)
    this.#toTheEnd(order)
    log[order.failures === 1 ? 'warn' : 'debug'](
      { instrument: order.hole.instrument, err: messageOf(error), waitMs },
      'missing trades cannot be asked for now, trying again',
    )
  }

  #toTheEnd(order: Order): void {
    this.#orders = [...this.#orders.filter(other => other !== order), order]
  }

  #ofFamily(): { family?: string } {
    const { family } = this.#deps
    return family === undefined ? {} : { family }
  }

  /** By what is still missing: an answer may have other trades than those that were asked for. */
  #report({ instrument, from, to }: SeqRange & { instrument: string }, got: SeqRanges, message?: string): void {
    const { recording, log } = this.#deps
    const missing = got.missing({ from, to })
    const trades = to - from + 1 - missing.reduce((sum, one) => sum + one.to - one.from + 1, 0)
    const outcome = missing.length === 0 ? 'filled' : trades > 0 ? 'partly' : 'unavailable'
    const own = got.ranges.flatMap(one => {
      const range = [Math.max(from, one.from), Math.min(to, one.to)] as const
      return range[0] <= range[1] ? [range] : []
    })
    recording.journal('backfill', {
      instrument,
      from_seq: from,
      to_seq: to,
      trades,
      outcome,
      ...this.#ofFamily(),
      ...(outcome === 'partly' && own.length <= RANGES_MAX && { got: own }),
      ...(message !== undefined && { message }),
    })
    log[outcome === 'filled' ? 'info' : 'warn']({ instrument, from, to, trades }, `missing trades: ${outcome}`)
  }
}
