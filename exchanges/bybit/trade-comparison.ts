import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Recording } from '../adapter.js'
import type { BybitHttp } from './http.js'
import { familyOfChannel, symbolOf } from './names.js'
import { recentTrades, rowsMax, type ListedTrade } from './recent-trades.js'
import { tradeIdOf } from './sequence-bytes.js'

/** A list may be ahead of the frames: what it has and they have not is looked at again after this. */
const LATE_MS = 5000
/** Trades of one moment are listed in another order than they came: near the oldest that is known nothing is judged. */
const EDGE_MS = 1000
/** Beyond those that came since the last look so many are asked for. */
const MARGIN_ROWS = 20
const LOOK_EVERY_MS = 500
const CAUSE = 'the exchange lists trades that never came'

/** What is known of trades that came. */
export interface CameTrades {
  /** Channels that a connection brings, and of which no outage is being looked at. */
  carried(): Iterable<string>
  isCarried(channel: string): boolean
  hasSeen(channel: string, id: number): boolean
  /** How many ever came of it, each counted once as long as it is known. */
  cameOf(channel: string): number
  /** These are recorded now. */
  fetched(channel: string, ids: readonly number[]): void
  readonly came: number
}

export interface TradeComparisonDeps {
  http: BybitHttp
  trades: CameTrades
  everyMs: number
  /** No more than this, on average: outages and polls are asked for at the same time. */
  callsPerSecond: number
  log: Logger
}

/** Trades beside each other in a list that did not come, and when those around them were made, µs. */
export interface UnseenTrades {
  ids: readonly number[]
  fromUs: number
  toUs: number
}

/**
 * What a list, newest first, has that did not come. Before the oldest that came nobody knows what was to come. Pure.
 */
export function unseenAmong(list: readonly ListedTrade[], isSeen: (id: number) => boolean): UnseenTrades[] {
  const rows = list.map(({ execId, time = '' }) => ({ id: tradeIdOf(execId), ms: Number(time) })).reverse()
  const first = rows.findIndex(({ id }) => isSeen(id))
  const found: { ids: number[]; fromUs: number; toUs: number }[] = []
  let open: (typeof found)[number] | undefined
  let knownMs = rows[first]?.ms ?? Infinity
  const judgedFromMs = knownMs + EDGE_MS
  for (const { id, ms } of rows.slice(Math.max(first, 0))) {
    if (isSeen(id)) {
      if (open) open.toUs = ms * 1000
      open = undefined
      knownMs = ms
    } else if (ms > judgedFromMs) {
      if (!open) found.push((open = { ids: [], fromUs: knownMs * 1000, toUs: ms * 1000 }))
      open.ids.push(id)
      open.toUs = ms * 1000
    }
  }
  return found
}

const timeOf = (trade: ListedTrade | undefined) => Number(trade?.time) || 0

interface Doubt {
  channel: string
  bytes: Buffer
  unseen: UnseenTrades[]
  dueMs: number
  came: number
}

/**
 * A trade that is lost on a connection that lives leaves no trace: ids are of no order. So what came of each channel is
 * compared with the exchange's own list again and again, as far back as that reaches.
 */
export class TradeComparison {
  readonly #deps: TradeComparisonDeps
  /** By channel: when it was compared, how many had come, and the newest trade of that list by the exchange's clock. */
  readonly #compared = new Map<string, { atMs: number; came: number; newestMs?: number }>()
  #doubts: Doubt[] = []
  #nextCallMs = 0

  constructor(deps: TradeComparisonDeps) {
    this.#deps = deps
  }

  /** Works until `signal` aborts. */
  async run(recording: Recording, signal: AbortSignal): Promise<void> {
    if (this.#deps.everyMs === 0) return
    while (!signal.aborted) {
      const nowMs = performance.now()
      const due = this.#doubts.filter(({ dueMs }) => dueMs <= nowMs)
      this.#doubts = this.#doubts.filter(doubt => !due.includes(doubt))
      for (const doubt of due) this.#settle(doubt, recording)
      const channel = nowMs < this.#nextCallMs ? undefined : this.#next(nowMs)
      if (channel !== undefined) await this.#compare(channel, signal)
      else await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** The one whose turn has come for the longest time. */
  #next(nowMs: number): string | undefined {
    const { trades, everyMs } = this.#deps
    for (const channel of this.#compared.keys()) if (!trades.isCarried(channel)) this.#compared.delete(channel)
    let next: { channel: string; atMs: number } | undefined
    for (const channel of trades.carried()) {
      const known = this.#compared.get(channel)
      if (!known) this.#compared.set(channel, { atMs: nowMs, came: trades.cameOf(channel) })
      else if (nowMs - known.atMs >= everyMs && known.atMs < (next?.atMs ?? Infinity))
        next = { channel, atMs: known.atMs }
    }
    return next?.channel
  }

  async #compare(channel: string, signal: AbortSignal): Promise<void> {
    const { http, trades, callsPerSecond, log } = this.#deps
    const came = trades.cameOf(channel)
    const last = this.#compared.get(channel)
    const compared: typeof last = { ...last, atMs: performance.now(), came }
    this.#compared.set(channel, compared)
    this.#nextCallMs = performance.now() + 1000 / callsPerSecond
    try {
      const all = rowsMax(channel)
      const limit = Math.min(all, came - (last?.came ?? 0) + MARGIN_ROWS)
      const few = await recentTrades(http, channel, limit, signal)
      // Of more that were lost than the margin holds, fewer came than were made: the list is to reach the one before.
      const isEnough = limit === all || few.list.length < limit || timeOf(few.list.at(-1)) <= (last?.newestMs ?? 0)
      const { bytes, list } = isEnough ? few : await recentTrades(http, channel, all, signal)
      compared.newestMs = timeOf(list[0])
      const unseen = unseenAmong(list, id => trades.hasSeen(channel, id))
      if (unseen.length > 0)
        this.#doubts.push({ channel, bytes, unseen, dueMs: performance.now() + LATE_MS, came: trades.cameOf(channel) })
    } catch (error) {
      if (!signal.aborted) log.debug({ channel, err: messageOf(error) }, 'trades not compared this time')
    }
  }

  #settle({ channel, bytes, unseen, came }: Doubt, recording: Recording): void {
    const { trades, log } = this.#deps
    // An outage since then is looked at by itself; of what came in floods is not known what was forgotten.
    if (!trades.isCarried(channel) || trades.cameOf(channel) - came > rowsMax(channel) / 2) return
    const lost = unseen.filter(({ ids }) => !ids.some(id => trades.hasSeen(channel, id)))
    if (lost.length === 0) return
    const family = familyOfChannel(channel)
    const instrument = symbolOf(channel) ?? channel
    recording.take('backfill', family, bytes)
    for (const { ids, fromUs, toUs } of lost) {
      trades.fetched(channel, ids)
      const span = { from_us: fromUs, to_us: Math.max(toUs, fromUs + 1) }
      recording.journal('trade_hole', { instrument, channel, family, ...span, cause: CAUSE })
      recording.journal('compared', { scopes: [channel], ...span, trades: trades.came })
      recording.journal('backfill', { instrument, family, ...span, trades: ids.length, outcome: 'filled' })
      log.warn({ channel, trades: ids.length }, 'trades did not come on a connection that lived; they are recorded')
    }
  }
}
