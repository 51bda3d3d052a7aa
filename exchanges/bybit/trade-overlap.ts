import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../platform/edge-error.js'
import { SIGNS } from '../../platform/json-bytes.js'
import type { Logger } from '../../platform/log.js'
import { parseLine } from '../../formats/raw-line.js'
import type { Recording } from '../adapter.js'
import { SPOT } from './families.js'
import { frames } from './frames.js'
import { RefusedError, type BybitHttp } from './http.js'
import { familyOfChannel, isSpot, symbolOf } from './names.js'
import { lacksNothingSinceMs, recentTrades, ROWS, rowsMax, SPOT_ROWS } from './recent-trades.js'
import { eachTradeId, tradeIdOf } from './sequence-bytes.js'
import { SeenIds } from './seen-ids.js'
import type { CameTrades } from './trade-comparison.js'

/** Frames of before the end of a hole may be late, and the list may be: nothing is asked before. */
const WAIT_MS = 2500
const LOOK_EVERY_MS = 500
/** An outage counts from the last frame of whatever sort on; this much before it the trades of the overlap had come. */
const OVERLAP_US = 2_000_000
const RETRY_MS_MAX = 60_000
const TRIES_MAX = 5
/** Of earlier runs so much is read, compressed. */
const EARLIER_BYTES_MAX = 16 * 1024 * 1024
const FAMILIES = ['trades', `trades${SPOT}`]

/** The trades that came before a hole. */
interface Before {
  has: (id: number) => boolean
  isEmpty: boolean
}

interface Hole {
  channel: string
  fromUs: number
  toUs: number
  before: Before
  dueMs: number
  tries: number
}

/**
 * Trades that came while no connection brought a channel. Their ids are of no order, so nothing shows that one is missing;
 * but the exchange lists the newest trades, and where that list holds one that was seen before, all since then is in it. It
 * is recorded where it has trades that did not come. What lies before the list cannot be had, and the journal says so.
 */
export class TradeOverlap implements CameTrades {
  readonly #http: BybitHttp
  readonly #log: Logger
  readonly #offUs: number
  readonly #seen = new Map<string, SeenIds>()
  /** By channel: when its last trades came. */
  readonly #lastUs = new Map<string, number>()
  /** By channel: the connections that bring it. */
  readonly #carried = new Map<string, Set<string>>()
  /** By channel that nobody brings: since when. */
  readonly #openSince = new Map<string, Pick<Hole, 'fromUs' | 'before'>>()
  #holes: Hole[] = []
  /** Trades that came, copies included. */
  came = 0

  /** @param offHours after a longer pause nothing is looked for */
  constructor(http: BybitHttp, offHours: number, log: Logger) {
    this.#http = http
    this.#offUs = offHours * 3_600_000_000
    this.#log = log
  }

  /** Holes that are being asked for. */
  get waiting(): number {
    return this.#holes.length
  }

  *carried(): Generator<string> {
    for (const channel of this.#carried.keys()) if (this.isCarried(channel)) yield channel
  }

  isCarried(channel: string): boolean {
    const isOpen = this.#holes.some(hole => hole.channel === channel)
    return !isOpen && (this.#carried.get(channel)?.size ?? 0) > 0
  }

  hasSeen(channel: string, id: number): boolean {
    return this.#seen.get(channel)?.has(id) === true
  }

  cameOf(channel: string): number {
    return this.#seen.get(channel)?.total ?? 0
  }

  fetched(channel: string, ids: readonly number[]): void {
    const seen = this.#seenOf(channel)
    for (const id of ids) seen.add(id)
  }

  /** A frame of trades came. */
  see(channel: string, frame: Buffer, recvUs: number): void {
    if (frame[frame.length - 1] !== SIGNS.CLOSE_OBJECT) {
      this.broken(channel, recvUs)
      return
    }
    this.#lastUs.set(channel, recvUs)
    const seen = this.#seenOf(channel)
    eachTradeId(frame, id => {
      seen.add(id)
      this.came++
    })
  }

  /** A frame came that cannot be read: what it held is asked for, once no more such come. */
  broken(channel: string, recvUs: number): void {
    const dueMs = performance.now() + WAIT_MS
    const open = this.#holes.find(hole => hole.channel === channel && hole.tries === 0)
    if (open) Object.assign(open, { toUs: Math.max(open.toUs, recvUs), dueMs })
    else {
      const fromUs = this.#lastUs.get(channel) ?? recvUs
      this.#holes.push({ channel, fromUs, toUs: recvUs, before: this.#seenNow(channel), dueMs, tries: 0 })
    }
  }

  /** A connection brings a channel from now on. */
  began(conn: string, channel: string, nowUs: number): void {
    const carriers = this.#carried.get(channel) ?? new Set()
    this.#carried.set(channel, carriers.add(conn))
    const open = this.#openSince.get(channel)
    if (!open) return
    this.#openSince.delete(channel)
    if (nowUs - open.fromUs > this.#offUs) return
    this.#holes.push({ channel, ...open, toUs: nowUs, dueMs: performance.now() + WAIT_MS, tries: 0 })
  }

  /** A connection does not bring it any more, and may not have since `lastUs`. */
  ended(conn: string, channel: string, lastUs: number): void {
    const carriers = this.#carried.get(channel)
    if (!carriers?.delete(conn) || carriers.size > 0) return
    this.#openSince.set(channel, { fromUs: lastUs, before: this.#seenNow(channel) })
  }

  /** Those that came until now. */
  #seenNow(channel: string): Before {
    const seen = this.#seenOf(channel)
    const before = seen.total
    const has = (id: number) => {
      const place = seen.placeOf(id)
      return place >= 0 && place < before
    }
    return { has, isEmpty: before === 0 }
  }

  /** Nobody wants these any more. */
  keepOnly(isWanted: (channel: string) => boolean): void {
    for (const known of [this.#seen, this.#lastUs])
      for (const channel of known.keys()) if (!isWanted(channel)) known.delete(channel)
    for (const channel of this.#openSince.keys()) if (!isWanted(channel)) this.#openSince.delete(channel)
  }

  /** Works until `signal` aborts. */
  async run(recording: Recording, signal: AbortSignal): Promise<void> {
    await this.#remember(recording, signal)
    while (!signal.aborted) {
      const due = this.#holes.find(({ dueMs }) => dueMs <= performance.now())
      if (due) await this.#fill(due, recording, signal)
      else await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  #seenOf(channel: string): SeenIds {
    const known = this.#seen.get(channel)
    if (known) return known
    const seen = new SeenIds(isSpot(channel) ? SPOT_ROWS * 4 : ROWS + 200)
    this.#seen.set(channel, seen)
    return seen
  }

  /** What earlier runs recorded last: the pause since then is a hole of every channel that comes again. */
  async #remember(recording: Recording, signal: AbortSignal): Promise<void> {
    if (this.#offUs === 0) return
    try {
      for (const family of FAMILIES) await this.#rememberFamily(family, recording, signal)
    } catch (error) {
      recording.journal('error', { message: `earlier trades cannot be read: ${messageOf(error)}` })
      this.#log.error(
        { err: messageOf(error) },
        'cannot read which trades were recorded before; the pause is not filled',
      )
    }
  }

  async #rememberFamily(family: string, recording: Recording, signal: AbortSignal): Promise<void> {
    const lastUs = new Map<string, number>()
    /** By channel: the newest ids of each segment, that of the newest first. */
    const earlier = new Map<string, SeenIds[]>()
    let bytes = 0
    for await (const segment of recording.earlier(family, signal)) {
      bytes += segment.bytes
      const own = new Map<string, SeenIds>()
      for await (const lines of segment.lines)
        for (const line of lines) {
          const raw = parsedLine(line)
          const channel = raw && frames.channelOf(raw.frame, family)
          if (!raw || channel === undefined) continue
          const ids = own.get(channel) ?? new SeenIds(ROWS)
          own.set(channel, ids)
          eachTradeId(raw.frame, id => ids.add(id))
          lastUs.set(channel, Math.max(raw.recvUs, lastUs.get(channel) ?? 0))
        }
      for (const [channel, ids] of own) {
        const newer = earlier.get(channel) ?? []
        if (newer.reduce((sum, { total }) => sum + total, 0) < ROWS) earlier.set(channel, [...newer, ids])
      }
      const isTooOld = segment.startedUs < recording.nowUs() - this.#offUs
      if (bytes > EARLIER_BYTES_MAX || isTooOld || signal.aborted) break
    }
    for (const [channel, fromUs] of lastUs) {
      const has = (id: number) => earlier.get(channel)?.some(ids => ids.has(id)) === true
      this.#wasOff(channel, { fromUs, before: { has, isEmpty: !earlier.has(channel) } }, recording.nowUs())
    }
  }

  #wasOff(channel: string, open: Pick<Hole, 'fromUs' | 'before'>, nowUs: number): void {
    const isCarried = (this.#carried.get(channel)?.size ?? 0) > 0
    if (!isCarried) this.#openSince.set(channel, open)
    else if (nowUs - open.fromUs <= this.#offUs)
      this.#holes.push({ channel, ...open, toUs: nowUs, dueMs: performance.now() + WAIT_MS, tries: 0 })
  }

  async #fill(hole: Hole, recording: Recording, signal: AbortSignal): Promise<void> {
    const { channel } = hole
    const family = familyOfChannel(channel)
    const limit = rowsMax(channel)
    const askedUs = recording.nowUs()
    try {
      const { bytes, list } = await recentTrades(this.#http, channel, limit, signal)
      const seen = this.#seenOf(channel)
      const isKnown = (id: number) => seen.has(id) || hole.before.has(id)
      const missing = list.filter(({ execId }) => !isKnown(tradeIdOf(execId)))
      const overlapsBefore = list.some(({ execId }) => hole.before.has(tradeIdOf(execId)))
      recording.take('backfill', missing.length > 0 ? family : 'answers', bytes)
      for (const { execId } of missing) seen.add(tradeIdOf(execId))
      // Shorter than it might be, it is all that there ever was; unless it lacks what came.
      const overlaps = overlapsBefore || (list.length < limit && hole.before.isEmpty)
      const oldestMs = Math.min(...list.map(({ time = '' }) => Number(time) || Infinity))
      const reachesMs = Math.max(overlaps ? -Infinity : oldestMs, lacksNothingSinceMs(channel, list, askedUs / 1000))
      this.#settle(hole, missing.length, { askedUs, reachesMs }, recording)
    } catch (error) {
      if (signal.aborted) return
      const isFinal = error instanceof RefusedError && !error.isPassing
      hole.tries++
      if (isFinal || hole.tries >= TRIES_MAX) this.#giveUp(hole, messageOf(error), recording)
      else hole.dueMs = performance.now() + Math.min(RETRY_MS_MAX, 1000 * 2 ** hole.tries)
    }
  }

  /** @param reachesMs since when all could be had; -Infinity: since before the hole */
  #settle(
    hole: Hole,
    trades: number,
    { askedUs, reachesMs }: { askedUs: number; reachesMs: number },
    recording: Recording,
  ): void {
    this.#forget(hole)
    const isOut = reachesMs * 1000 > hole.fromUs
    // The list overlaps what came before the hole, and goes on to the moment of the question.
    const fromUs = isOut ? reachesMs * 1000 : hole.fromUs - OVERLAP_US
    const toUs = Math.max(hole.toUs, askedUs)
    // All of that time was compared, whether or not anything was missing.
    if (fromUs < toUs)
      recording.journal('compared', { scopes: [hole.channel], from_us: fromUs, to_us: toUs, trades: this.came })
    if (trades === 0 && !isOut) return
    const outcome = isOut ? (trades > 0 ? 'partly' : 'unavailable') : 'filled'
    const message = isOut ? reachOf(reachesMs) : undefined
    this.#report(hole, { trades, outcome, ...(message !== undefined && { message }) }, recording)
  }

  #giveUp(hole: Hole, message: string, recording: Recording): void {
    this.#forget(hole)
    this.#report(hole, { trades: 0, outcome: 'unavailable', message }, recording)
  }

  #report(hole: Hole, facts: { trades: number; outcome: string; message?: string }, recording: Recording): void {
    const { channel, fromUs, toUs } = hole
    recording.journal('backfill', { instrument: symbolOf(channel) ?? channel, from_us: fromUs, to_us: toUs, ...facts })
    this.#log[facts.outcome === 'filled' ? 'info' : 'warn']({ channel, ...facts }, `missing trades: ${facts.outcome}`)
  }

  #forget(hole: Hole): void {
    this.#holes = this.#holes.filter(other => other !== hole)
  }
}

const reachOf = (reachesMs: number) =>
  reachesMs === Infinity
    ? 'the exchange lists no trades'
    : `the exchange lists trades from ${new Date(reachesMs).toISOString()} on only`

function parsedLine(line: Buffer) {
  const raw = parseLine(line)
  return raw?.encoding === 'frame' ? raw : undefined
}
