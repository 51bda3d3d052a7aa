import { setTimeout as delay } from 'node:timers/promises'
import type { DeribitConfig } from './config.js'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Recording } from '../adapter.js'
import { rememberTrades } from '../earlier-trades.js'
import type { HttpRpc } from './http-rpc.js'
import { expiryMsOf } from './names.js'
import { recordedTrades } from './recorded-trades.js'
import { TradeAudit } from './trade-audit.js'
import { TradeBackfill } from './trade-backfill.js'
import { TradeScopes } from './trade-scopes.js'
import { TradeSequences } from '../trade-sequences.js'

const HOUR_MS = 3_600_000
const ASK_TIME_AGAIN_MS = 5000
/** Trades of the last seconds before the recorder ended may not be on disk. */
const BEFORE_NEWEST_MS = 10_000

/** Sees to it that every trade is recorded: finds what is missing, over all connections and runs, and asks for it. */
export class TradeKeeper {
  readonly sequences = new TradeSequences(expiryMsOf)
  readonly scopes = new TradeScopes()
  readonly #rpc: HttpRpc
  readonly #config: DeribitConfig['backfill']
  readonly #log: Logger
  #audit: TradeAudit | undefined
  #firstConnected: () => void = () => undefined
  readonly #isConnected = new Promise<void>(resolve => (this.#firstConnected = resolve))

  constructor(rpc: HttpRpc, config: DeribitConfig['backfill'], log: Logger) {
    this.#rpc = rpc
    this.#config = config
    this.#log = log
  }

  /** A connection has all its subscriptions. */
  connected(): void {
    this.#firstConnected()
    this.#audit?.hurry()
  }

  /** Works beside the connections until `signal` aborts. */
  async run(recording: Recording, signal: AbortSignal): Promise<void> {
    const { tradesPerHole, compareSeconds } = this.#config
    const rpc = this.#rpc
    const { sequences } = this
    const log = this.#log
    const backfill = new TradeBackfill({ sequences, rpc, recording, log, tradesPerHoleMax: tradesPerHole })
    const nowUs = () => recording.nowUs()
    const scopes = () => this.scopes.all
    this.#audit = new TradeAudit({
      rpc,
      sequences,
      scopes,
      nowUs,
      exchangeMs: signal => this.#exchangeTimeMs(signal),
      journal: recording.journal,
      log,
      everyMs: compareSeconds * 1000,
    })
    const newestMs = await rememberTrades(sequences, { recording, reader: recordedTrades, log }, signal)
    const filling = backfill.run(signal)
    const fromMs = await this.#fromMs(newestMs, recording, signal)
    if (fromMs !== undefined) await this.#audit.run(fromMs, signal)
    await filling
  }

  /** From which time at the exchange on trades were to come; undefined when the recorder ends first. */
  async #fromMs(newestMs: number, recording: Recording, signal: AbortSignal): Promise<number | undefined> {
    // An abort that has been raises no event any more.
    if (signal.aborted) return undefined
    const ended = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([this.#isConnected, ended])
    const nowMs = await this.#exchangeTimeMs(signal)
    if (nowMs === undefined || newestMs === 0) return nowMs
    const { offHours } = this.#config
    const oldestMs = nowMs - offHours * HOUR_MS
    if (newestMs >= oldestMs) return newestMs - BEFORE_NEWEST_MS
    const message = `trades are looked for in the last ${offHours} hours only (exchange.backfill.offHours)`
    recording.journal('backfill', { from_us: newestMs * 1000, to_us: oldestMs * 1000, outcome: 'unavailable', message })
    this.#log.warn({ from: new Date(newestMs), to: new Date(oldestMs) }, message)
    return oldestMs
  }

  async #exchangeTimeMs(signal: AbortSignal): Promise<number | undefined> {
    const call = { id: 'time', method: 'public/get_time', params: {} }
    while (!signal.aborted) {
      const time = await this.#rpc.call('rpc', call, () => undefined, signal).catch(messageOf)
      if (typeof time === 'number') return time
      this.#log.debug({ answer: time }, 'the exchange does not give its time')
      await delay(ASK_TIME_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
    return undefined
  }
}
