import type { Logger } from '../../platform/log.js'
import type { SeqRange } from '../../platform/seq-ranges.js'
import type { Recording } from '../adapter.js'
import { TradeFiller, type TradeOrder } from '../trade-filler.js'
import type { TradeSequences } from '../trade-sequences.js'
import type { HttpRpc } from './http-rpc.js'
import { partitionOfInstrument } from './names.js'
import { RefusedError } from './rpc.js'
import { tradeRowsOf } from './sequence-json.js'

/** The exchange gives at most so many trades in an answer. */
const TRADES_PER_CALL = 1000
/** Around the receive stamps of a hole: clocks differ, and frames are late. */
const AROUND_MS = 60_000
/** Pages of a currency's trades that are gone through for one hole. */
const PAGES_MAX = 20

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
  readonly #filler: TradeFiller

  constructor(deps: TradeBackfillDeps) {
    this.#deps = deps
    this.#filler = new TradeFiller({
      ...deps,
      ask: (order, signal) => this.#ask(order, signal),
      isNotFound: error => error instanceof RefusedError && (error.means === 'notThere' || error.means === 'params'),
    })
  }

  /** Holes that are being asked for. */
  get waiting(): number {
    return this.#filler.waiting
  }

  /** Runs until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#filler.run(signal)
  }

  async #ask(order: TradeOrder, signal: AbortSignal): Promise<void> {
    if (isCombo(order.hole.instrument)) await this.#askByTime(order, signal)
    else for (const range of order.got.missing(order)) await this.#askRange(order, range, signal)
  }

  async #askRange(order: TradeOrder, { from, to }: SeqRange, signal: AbortSignal): Promise<void> {
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
  async #askByTime(order: TradeOrder, signal: AbortSignal): Promise<void> {
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
}

const isCombo = (instrument: string) => partitionOfInstrument(instrument).kind.endsWith('_combo')
