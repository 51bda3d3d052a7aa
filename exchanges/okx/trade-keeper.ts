import type { Logger } from '../../platform/log.js'
import type { Recording } from '../adapter.js'
import { rememberTrades } from '../earlier-trades.js'
import { TradeFiller, type TradeOrder } from '../trade-filler.js'
import { TradeSequences } from '../trade-sequences.js'
import type { OkxConfig } from './config.js'
import { RefusedError, type OkxHttp } from './http.js'
import type { Message } from './message.js'
import { expiryMsOf } from './names.js'
import { recordedTrades, tradeRowsOf } from './trade-numbers.js'

/** Trades in one answer of `market/history-trades`, which reaches back three months. */
const TRADES_PER_CALL = 100
/** The instrument doesn't exist (any more), or has no trades to ask for. */
const NOT_FOUND = new Set([51000, 51001, 51015, 51037])

/**
 * Sees to it that every trade is recorded. Fills of an instrument are numbered without holes, and a frame of `trades` says
 * how many it stands for. The last trade is sent on each subscription: it shows what was missed before.
 */
export class TradeKeeper {
  readonly sequences = new TradeSequences(expiryMsOf)
  readonly #http: OkxHttp
  readonly #config: OkxConfig['backfill']
  readonly #log: Logger

  constructor(http: OkxHttp, config: OkxConfig['backfill'], log: Logger) {
    this.#http = http
    this.#config = config
    this.#log = log
  }

  /** A frame of `trades` came. */
  see(message: Message | undefined, recvUs: number): void {
    for (const { instrument, first, last, timestampMs } of tradeRowsOf(message))
      if (this.sequences.see(instrument, last, recvUs, first))
        this.sequences.doubt(instrument, { seq: last, timestampMs }, recvUs)
  }

  /** Works beside the connections until `signal` aborts. */
  async run(recording: Recording, signal: AbortSignal): Promise<void> {
    const { sequences } = this
    const log = this.#log
    const filler = new TradeFiller({
      sequences,
      recording,
      log,
      tradesPerHoleMax: this.#config.tradesPerHole,
      ask: (order, stop) => this.#ask(order, recording, stop),
      isNotFound: error => error instanceof RefusedError && NOT_FOUND.has(error.refusal),
    })
    await rememberTrades(sequences, { recording, reader: recordedTrades, log }, signal)
    await filler.run(signal)
  }

  async #ask(order: TradeOrder, recording: Recording, signal: AbortSignal): Promise<void> {
    for (const { from, to } of order.got.missing(order)) {
      for (let next = to; next >= from && !signal.aborted;) {
        const lowest = await this.#askBelow(order, next, Math.min(TRADES_PER_CALL, next - from + 1), recording, signal)
        if (lowest === undefined || lowest > next) break
        next = lowest - 1
      }
    }
  }

  /**
   * Asks for so many trades with a number up to `last`, newest first. Numbers have no holes, so that none of them should
   * have come before; an answer with any other is kept, and makes no rows, which would stand there twice.
   * @returns the lowest number that it brought
   */
  async #askBelow(
    order: TradeOrder,
    last: number,
    limit: number,
    recording: Recording,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { instrument, from, to } = { ...order, instrument: order.hole.instrument }
    const isOurs = (seq: number) => seq >= from && seq <= to
    const query = { instId: instrument, type: '1', after: String(last + 1), limit: String(limit) }
    const rows = await this.#http.rows(
      'market/history-trades',
      query,
      (family, bytes) => recording.take('backfill', family, bytes),
      answered => {
        const numbers = tradeRowsOf({ data: answered })
        return numbers.length > 0 && numbers.every(row => isOurs(row.last)) ? 'trades' : 'control'
      },
      signal,
    )
    const numbers = tradeRowsOf({ data: rows }).map(row => row.last)
    if (numbers.length === 0) return undefined
    if (numbers.every(isOurs)) for (const number of numbers) order.got.add(number)
    return Math.min(...numbers)
  }
}
