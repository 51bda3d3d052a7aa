import type { WriteEvent } from '../../formats/journal/events.js'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { HttpRpc } from './http-rpc.js'
import { tradeRowsOf, type TradeRow } from './sequence-json.js'
import type { TradeScope } from './trade-scopes.js'
import type { TradeSequences } from '../trade-sequences.js'

const TRADES_PER_CALL = 1000
/** Calls for one scope in one pass; what is newer is left to the next pass. */
const CALLS_PER_PASS_MAX = 50
/** Trades of different instruments may be listed a little out of the order of their times. */
const OVERLAP_MS = 5000
/** The exchange's lists may be behind its frames, and its clock apart from ours: until then a quiet scope is compared again. */
const SETTLES_MS = 600_000
/** Lists reach back so far; what began earlier is answered with nothing, and that says nothing. */
const REACHES_BACK_MS = 24 * 3_600_000
/** After a connection came back: its trades come by themselves first. */
const AFTER_RECONNECT_MS = 5000

export interface TradeAuditDeps {
  rpc: HttpRpc
  sequences: TradeSequences
  scopes: () => readonly TradeScope[]
  nowUs: () => number
  /** By the exchange's clock, in which its lists are; undefined when the recorder ends first. */
  exchangeMs: (signal: AbortSignal) => Promise<number | undefined>
  journal: WriteEvent
  log: Logger
  everyMs: number
}

/** A span of the exchange's lists that was compared to its end. */
interface Compared {
  sinceMs: number
  untilMs: number
}

/** As the journal names it: by its instrument, or by kind and currency, of which the exchange's kind may be several. */
function namesOf({ kind, currency, name }: TradeScope): string[] {
  if (name !== undefined) return [name]
  return kind === 'future' ? [`future ${currency}`, `perpetual ${currency}`] : [`${kind} ${currency}`]
}

/**
 * Compares what came with what the exchange lists, once in a while and soon after each reconnect: so also a hole that no
 * later trade shows is found, and trades of instruments that were never heard of. The answers are only compared, and not
 * recorded: what is missing is asked for by instrument.
 */
export class TradeAudit {
  readonly #deps: TradeAuditDeps
  /** Time at the exchange from which on each scope is still to be compared, ms. */
  readonly #sinceMs = new Map<string, number>()
  /** How far our clock is ahead of the exchange's. */
  #aheadMs = 0
  #wake = new AbortController()
  #hurried = false

  constructor(deps: TradeAuditDeps) {
    this.#deps = deps
  }

  /** A connection was made: what it missed is looked for soon. */
  hurry(): void {
    this.#hurried = true
    this.#wake.abort()
  }

  /**
   * Runs until `signal` aborts.
   * @param fromMs time at the exchange from which on trades were to come
   */
  async run(fromMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#pause(signal)
      await this.#pass(fromMs, signal)
    }
  }

  /** Compares each scope, and says of which all was compared, so that nobody need believe that nothing was missed. */
  async #pass(fromMs: number, signal: AbortSignal): Promise<void> {
    const { scopes, journal, sequences, exchangeMs, nowUs } = this.#deps
    const theirMs = await exchangeMs(signal)
    if (theirMs === undefined) return
    // A clock of ours that is wrong must not look for trades where there cannot be any.
    this.#aheadMs = nowUs() / 1000 - theirMs
    const done: (Compared & { scope: TradeScope })[] = []
    for (const scope of scopes()) {
      const compared = await this.#compareOrLater(scope, fromMs, signal)
      if (compared) done.push({ ...compared, scope })
    }
    if (signal.aborted || done.length === 0) return
    // One entry for all: each was compared from its own begin on, the quietest from long before.
    const from_us = this.#ourUs(Math.max(...done.map(({ sinceMs }) => sinceMs)))
    const to_us = this.#ourUs(Math.min(...done.map(({ untilMs }) => untilMs)))
    const names = done.flatMap(({ scope }) => namesOf(scope))
    if (from_us < to_us) journal('compared', { scopes: names, from_us, to_us, trades: sequences.passed })
  }

  /** A time at the exchange as our clock shows it. */
  #ourUs(theirMs: number): number {
    return Math.round(1000 * (theirMs + this.#aheadMs))
  }

  async #compareOrLater(scope: TradeScope, fromMs: number, signal: AbortSignal): Promise<Compared | undefined> {
    try {
      return await this.#compare(scope, fromMs, signal)
    } catch (error) {
      if (signal.aborted) return undefined
      this.#deps.log.debug({ err: messageOf(error) }, 'trades not compared with what the exchange lists, trying later')
      return undefined
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (!this.#hurried) {
      this.#wake = new AbortController()
      const either = AbortSignal.any([signal, this.#wake.signal])
      await delay(this.#deps.everyMs, undefined, { signal: either, ref: false }).catch(() => undefined)
    }
    if (!this.#hurried) return
    this.#hurried = false
    const waitMs = Math.min(AFTER_RECONNECT_MS, this.#deps.everyMs)
    await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
  }

  /** Undefined where it was not compared to its end. */
  async #compare(scope: TradeScope, fromMs: number, signal: AbortSignal): Promise<Compared | undefined> {
    const key = `${scope.kind} ${scope.name ?? scope.currency}`
    let beganMs = this.#sinceMs.get(key) ?? fromMs
    for (let call = 0; call < CALLS_PER_PASS_MAX && !signal.aborted; call++) {
      const sinceMs = this.#sinceMs.get(key) ?? fromMs
      const nowMs = this.#deps.nowUs() / 1000 - this.#aheadMs
      const { rows, hasMore } = await this.#list(scope, sinceMs, signal)
      this.#noteListed(rows, scope)
      const reachMs = Math.ceil(nowMs - REACHES_BACK_MS + SETTLES_MS)
      if (rows.length === 0 && sinceMs < nowMs - REACHES_BACK_MS) {
        this.#notToBeHad(scope, sinceMs, reachMs)
        this.#sinceMs.set(key, reachMs)
        beganMs = reachMs
        continue
      }
      const lastMs = rows.reduce((newest, { timestampMs }) => Math.max(newest, timestampMs), sinceMs)
      // So many trades in one ms that a page holds them not all: the next page starts behind it.
      const next = hasMore
        ? lastMs > sinceMs
          ? lastMs
          : sinceMs + 1
        : // Where nothing trades the beginning must move on all the same, or it is out of reach some day.
          Math.max(sinceMs, lastMs - OVERLAP_MS, Math.floor(nowMs - SETTLES_MS))
      this.#sinceMs.set(key, next)
      if (!hasMore) return { sinceMs: beganMs, untilMs: nowMs }
    }
    return undefined
  }

  #notToBeHad({ kind, currency, name }: TradeScope, fromMs: number, toMs: number): void {
    const message = `the exchange lists no trades (${kind} ${name ?? currency}) of more than a day ago`
    const span = { from_us: this.#ourUs(fromMs), to_us: this.#ourUs(toMs) }
    this.#deps.journal('backfill', { ...span, outcome: 'unavailable', message })
    this.#deps.log.warn({ from: new Date(fromMs), to: new Date(toMs) }, message)
  }

  async #list({ kind, currency, name }: TradeScope, sinceMs: number, signal: AbortSignal) {
    const page = { start_timestamp: sinceMs, count: TRADES_PER_CALL, sorting: 'asc' }
    const call =
      name === undefined
        ? {
            id: `last_trades ${currency} ${kind}`,
            method: 'public/get_last_trades_by_currency',
            params: { currency, kind, ...page },
          }
        : {
            id: `last_trades ${name}`,
            method: 'public/get_last_trades_by_instrument',
            params: { instrument_name: name, ...page },
          }
    const result = await this.#deps.rpc.call('rpc', call, () => undefined, signal)
    if (typeof result !== 'object' || result === null || !('trades' in result)) return { rows: [], hasMore: false }
    return { rows: tradeRowsOf(result.trades), hasMore: 'has_more' in result && result.has_more === true }
  }

  #noteListed(rows: readonly TradeRow[], { instruments }: TradeScope): void {
    const listed = new Map<string, TradeRow[]>()
    for (const theirs of rows) {
      if (instruments?.has(theirs.instrument) === false) continue
      // What came bears our stamps: by a clock that is behind, what is listed would be newer than all of it.
      const row = { ...theirs, timestampMs: theirs.timestampMs && theirs.timestampMs + this.#aheadMs }
      const own = listed.get(row.instrument)
      if (own) own.push(row)
      else listed.set(row.instrument, [row])
    }
    const nowUs = this.#deps.nowUs()
    for (const [instrument, own] of listed) this.#deps.sequences.listed(instrument, own, nowUs)
  }
}
