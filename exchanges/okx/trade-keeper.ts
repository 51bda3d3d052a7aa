import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Recording } from '../adapter.js'
import { rememberTrades } from '../earlier-trades.js'
import { TradeFiller, type TradeOrder } from '../trade-filler.js'
import { TradeSequences } from '../trade-sequences.js'
import type { OkxConfig } from './config.js'
import { NOT_FOUND, RefusedError, type OkxHttp } from './http.js'
import type { Message } from './message.js'
import { expiryMsOf } from './names.js'
import { recordedTrades, tradeRowsOf } from './trade-numbers.js'
import { joinedProofs, TradeProofs, type TradeProof } from './trade-proofs.js'

/** Trades in one answer of `market/history-trades`, which reaches back three months. */
const TRADES_PER_CALL = 100
/** How often is looked for what is proven by now. */
const LOOK_EVERY_MS = 1000
/** Where the exchange has no trade of an instrument there was none for so long at least, as far as its methods reach. */
const REACH_US = 90 * 86_400_000_000

/**
 * Sees to it that every trade is recorded. Fills of an instrument are numbered without holes, and a frame of `trades` says
 * how many it stands for. The last trade is sent on each subscription: it shows what was missed before.
 */
export class TradeKeeper {
  readonly family: 'trades' | 'trades-all'
  readonly sequences = new TradeSequences(expiryMsOf)
  readonly #http: OkxHttp
  readonly #config: OkxConfig['backfill']
  readonly #log: Logger
  readonly #proofs = new TradeProofs()
  /** By instrument: when earlier runs received its last trade. */
  readonly #earlierUs = new Map<string, number>()
  /** When the last trade of any came before channels were last asked for. */
  #newestBeforeUs = -Infinity
  #lastUs = -Infinity

  /** @param family `trades`, or `trades-all`, which has each fill by itself and the same numbers */
  constructor(http: OkxHttp, config: OkxConfig['backfill'], log: Logger, family: TradeKeeper['family'] = 'trades') {
    this.family = family
    this.#http = http
    this.#config = config
    this.#log = log
  }

  /** A frame of `trades` came. */
  see(message: Message, recvUs: number): void {
    this.#lastUs = recvUs
    for (const { instrument, first, last, timestampMs } of tradeRowsOf(message)) {
      if (this.#proofs.isWaiting)
        this.#proofs.shown(instrument, {
          beforeUs: this.sequences.lastUsOf(instrument),
          madeUs: timestampMs * 1000,
          recvUs,
        })
      if (this.sequences.see(instrument, last, recvUs, first))
        this.sequences.doubt(instrument, { seq: last, timestampMs }, recvUs)
    }
  }

  /** Trades of these are to be subscribed. */
  asked(instruments: readonly string[]): void {
    if (instruments.length === 0) return
    if (!this.#proofs.isAwaited(instruments)) this.#newestBeforeUs = Math.max(this.#newestBeforeUs, this.#lastUs)
    this.#proofs.asked(instruments)
  }

  /** Nothing of them came from then on until just now, and they are about to be subscribed anew. */
  missed(instruments: readonly string[], sinceUs: number): void {
    this.#newestBeforeUs = Math.max(this.#newestBeforeUs, sinceUs)
    // Of one that is known since before, each number that came since vouches for all that time.
    const isKnown = (instrument: string) =>
      this.sequences.startedUsOf(instrument) <= sinceUs || (this.#earlierUs.get(instrument) ?? Infinity) <= sinceUs
    for (const instrument of instruments) this.#proofs.missed(instrument, isKnown(instrument) ? sinceUs : undefined)
  }

  /** They are, from now on. */
  begun(instruments: readonly string[], nowUs: number): void {
    this.#proofs.begun(instruments, nowUs)
  }

  /** A frame of them came that cannot be read: the next one shows what it held. */
  broken(instruments: readonly string[], recvUs: number): void {
    this.asked(instruments)
    this.begun(instruments, recvUs)
  }

  /** They are not any more. */
  ended(instruments: readonly string[]): void {
    this.#proofs.ended(instruments)
  }

  /** Works beside the connections until `signal` aborts. */
  async run(recording: Recording, signal: AbortSignal): Promise<void> {
    const { sequences } = this
    const log = this.#log
    const filler = new TradeFiller({
      family: this.family === 'trades' ? undefined : this.family,
      sequences,
      recording,
      log,
      tradesPerHoleMax: this.#config.tradesPerHole,
      ask: (order, stop) => this.#ask(order, recording, stop),
      isNotFound: error => error instanceof RefusedError && NOT_FOUND.has(error.refusal),
    })
    const remembered = (instrument: string, lastUs: number) => {
      this.#earlierUs.set(instrument, lastUs)
      this.#newestBeforeUs = Math.max(this.#newestBeforeUs, lastUs)
    }
    await rememberTrades(sequences, { recording, reader: recordedTrades, log, family: this.family, remembered }, signal)
    await Promise.all([filler.run(signal), this.#prove(recording, signal)])
  }

  /** Journals of which time all trades are known, so that nobody need believe that none was missed. */
  async #prove(recording: Recording, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const proofs = this.#proofs
        .take(instrument => this.#earlierUs.get(instrument))
        .map(proof => sinceRenumbered(proof, this.sequences.begunAnewUs(proof.instrument)))
      for (const { instruments, fromUs, toUs } of joinedProofs(proofs, this.#newestBeforeUs))
        if (fromUs < toUs) this.#journalCompared(instruments, fromUs, toUs, recording)
      const quiet = this.#proofs.takeQuiet(recording.nowUs())
      // At the very first start nothing was missed.
      if (this.#newestBeforeUs > -Infinity)
        for (const instrument of quiet) await this.#askQuiet(instrument, recording, signal)
      await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** No frame came of it: it has no trades, or the frame was lost. */
  async #askQuiet(instrument: string, recording: Recording, signal: AbortSignal): Promise<void> {
    try {
      const askedUs = recording.nowUs()
      const take = (family: string, bytes: Buffer) => recording.take('backfill', family, bytes)
      const query = { instId: instrument, limit: '1' }
      const rows = tradeRowsOf({ data: await this.#http.rows('market/trades', query, take, () => 'control', signal) })
      const [row] = rows
      if (row) this.sequences.listed(instrument, [{ seq: row.last, timestampMs: row.timestampMs }], askedUs)
      const fromUs = row ? (this.#earlierUs.get(instrument) ?? row.timestampMs * 1000) : askedUs - REACH_US
      this.#journalCompared([instrument], fromUs, askedUs, recording)
    } catch (error) {
      if (!signal.aborted) this.#log.debug({ instrument, err: messageOf(error) }, 'whether it has trades is not known')
    }
  }

  #journalCompared(instruments: readonly string[], fromUs: number, toUs: number, recording: Recording): void {
    const scopes = instruments.map(instrument => `${this.family}.${instrument}`)
    // Fills are not counted a second time.
    const counted = this.family === 'trades' && { trades: this.sequences.passed }
    recording.journal('compared', { scopes, from_us: fromUs, to_us: toUs, ...counted })
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
   * have come before; an answer with any other is kept, and makes no rows, which would stand there twice. Where the exchange
   * lacks some, and older ones came in their place, so many fewer are asked for.
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
        return numbers.length > 0 && numbers.every(row => isOurs(row.last)) ? this.family : 'control'
      },
      signal,
    )
    const numbers = tradeRowsOf({ data: rows }).map(row => row.last)
    if (numbers.length === 0) return undefined
    const ours = numbers.filter(isOurs)
    if (ours.length > 0 && ours.length < numbers.length)
      return this.#askBelow(order, last, ours.length, recording, signal)
    for (const number of ours) order.got.add(number)
    return Math.min(...numbers)
  }
}

/** Numbers that began anew meanwhile prove nothing of what was made before the first of them that is known. */
const sinceRenumbered = (proof: TradeProof, anewUs = -Infinity): TradeProof => ({
  ...proof,
  fromUs: Math.max(proof.fromUs, Math.min(anewUs, proof.madeUs)),
})
