import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Recording } from '../adapter.js'
import type { HttpRpc } from './http-rpc.js'
import { RefusedError } from './rpc.js'
import { SeqRanges, type SeqRange } from '../../platform/seq-ranges.js'
import { partitionOfInstrument } from './names.js'
import { tradeRowsOf } from './sequence-json.js'
import type { TradeHole, TradeSequences } from '../trade-sequences.js'

/** The exchange gives at most so many trades in an answer. */
const TRADES_PER_CALL = 1000
/** The other connection, or a late frame, may bring a trade that seems to be missing: that is cheaper than to ask. */
const WAIT_US = 2_500_000
const LOOK_EVERY_MS = 500
/** The exchange's history may be behind its frames: what it has not is asked for again before it is given up. */
const ASKED_MAX = 4
const ASK_AGAIN_MS = 2000
/** Where no answer can be had at all, it is tried for ever, this far apart at most. */
const RETRY_MS_MAX = 60_000
/** Refusals that say something of the trades asked for: the instrument is not there any more. */
const NOT_FOUND = new Set([-32602, 10020, 13020])

/** Around the receive stamps of a hole: clocks differ, and frames are late. */
const AROUND_MS = 60_000
/** Pages of a currency's trades that are gone through for one hole. */
const PAGES_MAX = 20

/** Part of a hole that is asked for. */
interface Order extends SeqRange {
  hole: TradeHole
  got: SeqRanges
  asked: number
  failures: number
  dueMs: number
}

export interface TradeBackfillDeps {
  sequences: TradeSequences
  rpc: HttpRpc
  recording: Recording
  log: Logger
  /** The newest so many trades of a hole are asked for; what is older is left out, and the journal says so. */
  tradesPerHoleMax: number
}

/** Fills the holes of trades from the exchange's history: one call at a time, paced by the exchange's credits. */
export class TradeBackfill {
  readonly #deps: TradeBackfillDeps
  #orders: Order[] = []

  constructor(deps: TradeBackfillDeps) {
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
      log.warn({ instrument, lastSeq, firstSeq }, 'the numbers of its trades began anew')
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
      })
      log.info({ instrument, from, to }, 'trades are missing; asking for them')
      const askedFrom = Math.max(from, to - tradesPerHoleMax + 1)
      if (askedFrom > from) {
        const message = `left out: more than ${tradesPerHoleMax} trades, the newest of which are asked for`
        this.#report({ instrument, from, to: askedFrom - 1 }, 0, message)
      }
      if (askedFrom > to) continue
      this.#orders.push({ from: askedFrom, to, hole, got: new SeqRanges(), asked: 0, failures: 0, dueMs: 0 })
    }
  }

  async #ask(order: Order, signal: AbortSignal): Promise<void> {
    try {
      if (isCombo(order.hole.instrument)) await this.#askByTime(order, signal)
      else for (const range of order.got.missing(order)) await this.#askRange(order, range, signal)
      order.failures = 0
      this.#answered(order, 'the exchange has no more of them')
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof RefusedError && NOT_FOUND.has(error.refusal)) this.#answered(order, error.message)
      else this.#unanswered(order, error)
    }
  }

  async #askRange(order: Order, { from, to }: SeqRange, signal: AbortSignal): Promise<void> {
    const { instrument } = order.hole
    for (let next = from; next <= to && !signal.aborted;) {
      const end = Math.min(to, next + TRADES_PER_CALL - 1)
      const { rows } = await this.#call(
        `trades ${instrument} ${next} ${end}`,
        'public/get_last_trades_by_instrument',
        { instrument_name: instrument, start_seq: next, end_seq: end },
        signal,
      )
      const seqs = rows.filter(row => row.instrument === instrument).map(({ seq }) => seq)
      for (const seq of seqs) order.got.add(seq)
      // An answer may hold fewer trades than there are: it is asked on behind the last one.
      const last = seqs.reduce((newest, seq) => Math.max(newest, seq), -1)
      next = last >= next && last < end ? last + 1 : end + 1
    }
  }

  /** Trades of a combo cannot be asked for by its name: those of its kind are gone through, of the time of the hole. */
  async #askByTime(order: Order, signal: AbortSignal): Promise<void> {
    const { instrument, fromUs, toUs } = order.hole
    const { kind, currency } = partitionOfInstrument(instrument)
    const toMs = Math.ceil(toUs / 1000) + AROUND_MS
    let fromMs = Math.floor(fromUs / 1000) - AROUND_MS
    for (let page = 0; page < PAGES_MAX && !signal.aborted; page++) {
      const { rows, hasMore } = await this.#call(
        `trades ${instrument} ${order.from} ${order.to}`,
        'public/get_last_trades_by_currency',
        { currency, kind, start_timestamp: fromMs, end_timestamp: toMs },
        signal,
      )
      for (const row of rows)
        if (row.instrument === instrument && row.seq >= order.from && row.seq <= order.to) order.got.add(row.seq)
      if (!hasMore || order.got.missing(order).length === 0) return
      fromMs = Math.max(fromMs + 1, ...rows.map(({ timestampMs }) => timestampMs))
    }
  }

  async #call(id: string, method: string, asked: Record<string, unknown>, signal: AbortSignal) {
    const { rpc, recording } = this.#deps
    const call = { id, method, params: { ...asked, count: TRADES_PER_CALL, sorting: 'asc' } }
    let answer: { family: string; bytes: Buffer } | undefined
    let rows: ReturnType<typeof tradeRowsOf> = []
    try {
      const result = await rpc.call('trades', call, (family, bytes) => (answer = { family, bytes }), signal)
      if (typeof result === 'object' && result !== null && 'trades' in result) rows = tradeRowsOf(result.trades)
      const hasMore = typeof result === 'object' && result !== null && 'has_more' in result && result.has_more === true
      return { rows, hasMore }
    } finally {
      // An answer without trades has none for the family of trades.
      if (answer) recording.take('backfill', rows.length > 0 ? answer.family : 'rpc', answer.bytes)
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
    this.#report(
      { instrument, from: order.from, to: order.to },
      order.got.count,
      missing.length > 0 ? message : undefined,
    )
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

  #report({ instrument, from, to }: SeqRange & { instrument: string }, trades: number, message?: string): void {
    const { recording, log } = this.#deps
    const all = to - from + 1
    const outcome = trades >= all ? 'filled' : trades > 0 ? 'partly' : 'unavailable'
    recording.journal('backfill', {
      instrument,
      from_seq: from,
      to_seq: to,
      trades,
      outcome,
      ...(message !== undefined && { message }),
    })
    log[outcome === 'filled' ? 'info' : 'warn']({ instrument, from, to, trades }, `missing trades: ${outcome}`)
  }
}

const isCombo = (instrument: string) => partitionOfInstrument(instrument).kind.endsWith('_combo')
