import { addTo } from '../../platform/group-by.js'
import { IMPORTED } from './causes.js'
import type { JournalEntry } from './entry.js'
import { unionOf, without, type Span } from '../../platform/spans.js'

/** One channel at one recorder. */
export interface Subscription {
  exchange: string
  host: string
  channel: string
  /** From the exchange's answer to the end, on whichever connection. */
  spans: readonly (Span & { conn: string })[]
  /** When it was to be recorded: outages, restarts and the time that the exchange refused it included. */
  wanted: readonly Span[]
  /**
   * When the exchange refused it to every connection that lived and asked. From its answer on, or from when the connection
   * was live: until then, and again from its end on, nothing came of anything, which is an outage.
   */
  rejected: readonly Span[]
}

/**
 * What each channel's subscriptions were, by the journal in the order of its time. A channel stays wanted over the end
 * of its connection or its recorder until it is subscribed again, or the recorder that came back goes on without it;
 * what is never heard of again stays wanted for ever (`Infinity`). Pure.
 * @param expiryMsOf when what a channel is about ends by its name, ms since the epoch; Infinity where it never does
 */
export function subscriptionsOf(
  entries: readonly JournalEntry[],
  expiryMsOf: (channel: string) => number,
): Subscription[] {
  const sources = new Map<string, HostReader>()
  for (const entry of entries) {
    const { exchange, host } = entry
    const key = `${exchange} ${host}`
    const reader = sources.get(key) ?? new HostReader({ exchange, host }, expiryMsOf)
    sources.set(key, reader.read(entry))
  }
  return [...sources.values()].flatMap(reader => reader.all())
}

/** What a run that took over held back is written at once, all within this time, µs. */
const HELD_BACK_US = 1_000_000

interface ChannelSpan extends Span {
  conn: string
  /** It ended because nobody wanted it any more. */
  dropped: boolean
}

/** A channel that is taken anew comes back within this; else it is missing meanwhile, µs. */
const ANEW_WITHIN_US = 1_000_000

/** No connection: what the exchange offers to none. */
const NONE = ''

/** What the exchange refused to one connection. */
interface Refusals {
  /** Since when, by channel. */
  since: Map<string, number>
  /** All that it asked for at its begin was answered, and it lives. */
  isLive: boolean
}

class HostReader {
  readonly #source: Pick<Subscription, 'exchange' | 'host'>
  readonly #expiryMsOf: (channel: string) => number
  readonly #spans = new Map<string, ChannelSpan[]>()
  readonly #rejected = new Map<string, Span[]>()
  readonly #refusalsOf = new Map<string, Refusals>()
  /** Where a journal does not say when a connection is live, a refusal counts at once. */
  #saysLive = false
  /** Channels of living connections: connection → channel → since when. */
  readonly #open = new Map<string, Map<string, number>>()
  /** Since when a channel is wanted that was refused, and is not subscribed since. */
  readonly #refused = new Map<string, number>()
  readonly #wantedRefused = new Map<string, Span[]>()
  /** Channels that were ended to be taken anew: since when, and on which connection. */
  readonly #anew = new Map<string, { us: number; conn: string }>()
  /** When a connection took a channel anew, and soon had it again: these moments count as nothing. */
  readonly #takenAnew = new Map<string, Span[]>()
  /** When a recorder or a connection began: what was to come back had come back soon after. */
  readonly #begins: number[] = []
  /** Runs, and whether each came to carry all that it was to carry. */
  readonly #runs: { startedUs: number; isWhole: boolean }[] = []
  #lastUs = 0
  /** Since when instruments were to be recorded that are subscribed only later. */
  readonly #since = new Map<string, number>()
  /** Of a run that took over: since when it recorded, while it writes what it had held back. */
  #tookOver: { sinceUs: number; catchesUpUntilUs: number } | undefined

  constructor(source: Pick<Subscription, 'exchange' | 'host'>, expiryMsOf: (channel: string) => number) {
    this.#source = source
    this.#expiryMsOf = expiryMsOf
  }

  read(entry: JournalEntry): this {
    const { recvUs } = entry
    switch (entry.event) {
      case 'started':
        // Whatever is still open was cut off by a kill, and lived to the last entry at least.
        this.#endAll(this.#lastUs)
        this.#begins.push(recvUs)
        this.#runs.push({ startedUs: recvUs, isWhole: false })
        this.#noteTakeOver(recvUs, entry.detail.since_us)
        break
      case 'stopped':
      case 'ceased':
        this.#endAll(recvUs)
        break
      case 'connected':
        this.#begins.push(recvUs)
        this.#refusalsOf.delete(connOf(entry))
        break
      case 'live': {
        const run = this.#runs.at(-1)
        if (run) run.isWhole = true
        this.#becameLive(connOf(entry), recvUs)
        break
      }
      case 'disconnected':
        this.#endRefusals(connOf(entry), recvUs)
        this.#end(connOf(entry), [...(this.#open.get(connOf(entry))?.keys() ?? [])], recvUs, false)
        break
      case 'subscribed':
      case 'subscriptions':
        this.#begin(connOf(entry), entry.detail.channels ?? [], recvUs)
        break
      case 'unsubscribed':
        this.#end(connOf(entry), entry.detail.channels ?? [], recvUs, true)
        for (const channel of entry.detail.channels ?? [])
          if (entry.detail.reason === undefined || entry.detail.reason === IMPORTED) this.#anew.delete(channel)
          else this.#anew.set(channel, { us: recvUs, conn: connOf(entry) })
        break
      case 'rejected': {
        const { instead, channels = [], since_us: sinceUs } = entry.detail
        // Where something else is taken in place, nothing is missing.
        if (instead !== undefined) break
        if (sinceUs !== undefined) this.#takeBack(connOf(entry), channels, sinceUs)
        this.#refuse(connOf(entry), channels, sinceUs ?? recvUs)
        break
      }
      case 'not_offered':
        this.#refuse(NONE, entry.detail.channels ?? [], recvUs)
        break
      case 'unlisted':
        this.#wantAllAlong(entry.detail.instrument, entry.detail.from_us ?? recvUs)
        break
      case 'instruments_removed':
        this.#forgetRefused(new Set(entry.detail.instruments), recvUs)
        break
      default:
      // It changes nothing of what is wanted.
    }
    this.#lastUs = Math.max(this.#lastUs, recvUs)
    return this
  }

  all(): Subscription[] {
    // What is open now is open as far as anything is known.
    for (const [conn, since] of this.#open) this.#end(conn, [...since.keys()], Infinity, true)
    this.#endAllRefusals(Infinity)
    const channels = new Set([...this.#spans.keys(), ...this.#wantedRefused.keys()])
    return [...channels].map(channel => {
      const spans = this.#spans.get(channel) ?? []
      const takenAnew = this.#takenAnew.get(channel) ?? []
      const wanted = [
        ...this.#bridged(channel, spans),
        ...(this.#wantedRefused.get(channel) ?? []),
        ...this.#unheard(channel, spans),
      ]
      return {
        ...this.#source,
        channel,
        spans,
        // What another connection brings, or takes anew just then, is not missing.
        rejected: without(unionOf(this.#rejected.get(channel) ?? []), [...spans, ...takenAnew]),
        wanted: without(unionOf(wanted), without(takenAnew, spans)),
      }
    })
  }

  /** The time between the listing of an instrument, which nobody heard, and its first subscription. */
  #unheard(channel: string, [first]: readonly ChannelSpan[]): Span[] {
    if (this.#since.size === 0 || !first) return []
    const sinceUs = Math.min(...channel.split('.').flatMap(part => this.#since.get(part) ?? []))
    return sinceUs < first.fromUs ? [{ fromUs: sinceUs, toUs: first.fromUs }] : []
  }

  #bridged(channel: string, spans: readonly ChannelSpan[]): Span[] {
    const ordered = [...spans].sort((a, b) => a.fromUs - b.fromUs)
    return ordered.map(({ fromUs, toUs, dropped }, i) => {
      if (dropped) return { fromUs, toUs }
      const nextUs = ordered[i + 1]?.fromUs ?? Infinity
      // A run that carried all that was asked for, without it: nobody wanted it any more, whatever came later.
      const withoutUs = this.#runs.find(({ startedUs, isWhole }, at) => {
        const endUs = this.#runs[at + 1]?.startedUs ?? Infinity
        return isWhole && startedUs > toUs && endUs <= nextUs && nextUs !== Infinity
      })?.startedUs
      if (withoutUs !== undefined) return { fromUs, toUs: withoutUs }
      const backUs = nextUs
      const beganUs = this.#begins.find(us => us > toUs) ?? this.#expiryMsOf(channel) * 1000
      return { fromUs, toUs: Math.max(toUs, Number.isFinite(backUs) ? backUs : beganUs) }
    })
  }

  #noteTakeOver(recvUs: number, sinceUs: number | undefined): void {
    this.#tookOver = sinceUs !== undefined ? { sinceUs, catchesUpUntilUs: recvUs + HELD_BACK_US } : undefined
  }

  #begin(conn: string, channels: readonly string[], recvUs: number): void {
    const us = this.#tookOver && recvUs <= this.#tookOver.catchesUpUntilUs ? this.#tookOver.sinceUs : recvUs
    const since = this.#open.get(conn) ?? new Map<string, number>()
    this.#open.set(conn, since)
    for (const channel of channels) {
      if (!since.has(channel)) since.set(channel, us)
      for (const refusing of [conn, NONE]) this.#endRefusal(refusing, channel, us)
      const ended = this.#anew.get(channel)
      this.#anew.delete(channel)
      if (ended && us - ended.us > ANEW_WITHIN_US) this.#wantSince(channel, ended.us)
      else if (ended?.conn === conn && ended.us < us) addTo(this.#takenAnew, channel, { fromUs: ended.us, toUs: us })
      this.#endWanting(channel, us)
    }
  }

  #end(conn: string, channels: readonly string[], toUs: number, dropped: boolean): void {
    const since = this.#open.get(conn)
    for (const channel of channels) {
      const fromUs = since?.get(channel)
      since?.delete(channel)
      if (fromUs === undefined || fromUs >= toUs) continue
      addTo(this.#spans, channel, { fromUs, toUs, conn, dropped })
    }
  }

  #endAll(toUs: number): void {
    for (const [conn, since] of this.#open) this.#end(conn, [...since.keys()], toUs, false)
    // A new run asks again, and is refused again where it was.
    this.#endAllRefusals(toUs)
  }

  #refuse(conn: string, channels: readonly string[], recvUs: number): void {
    const refusals = this.#refusalsOf.get(conn) ?? { since: new Map<string, number>(), isLive: conn === NONE }
    this.#refusalsOf.set(conn, refusals)
    for (const channel of channels) {
      if (!refusals.since.has(channel)) refusals.since.set(channel, recvUs)
      this.#wantSince(channel, Math.min(recvUs, this.#anew.get(channel)?.us ?? Infinity))
      this.#anew.delete(channel)
    }
  }

  #wantSince(channel: string, us: number): void {
    if (!this.#refused.has(channel)) this.#refused.set(channel, us)
  }

  /** What was promised and never came was not subscribed either. */
  #takeBack(conn: string, channels: readonly string[], sinceUs: number): void {
    for (const channel of channels) {
      this.#open.get(conn)?.delete(channel)
      const others = (this.#spans.get(channel) ?? []).filter(span => span.conn !== conn || span.fromUs < sinceUs)
      for (const span of others) if (span.conn === conn) span.toUs = Math.min(span.toUs, sinceUs)
      this.#spans.set(channel, others)
    }
  }

  /** What it was refused on its way to here is missing from now on: until now all was. */
  #becameLive(conn: string, recvUs: number): void {
    this.#saysLive = true
    const { since } = this.#refusalsOf.get(conn) ?? { since: new Map<string, number>() }
    this.#refusalsOf.set(conn, { since: new Map([...since.keys()].map(channel => [channel, recvUs])), isLive: true })
  }

  #endRefusal(conn: string, channel: string, toUs: number): void {
    const refusals = this.#refusalsOf.get(conn)
    const fromUs = refusals?.since.get(channel)
    if (!refusals || fromUs === undefined) return
    refusals.since.delete(channel)
    if (fromUs < toUs && (refusals.isLive || !this.#saysLive)) addTo(this.#rejected, channel, { fromUs, toUs })
  }

  #endRefusals(conn: string, toUs: number): void {
    for (const channel of [...(this.#refusalsOf.get(conn)?.since.keys() ?? [])]) this.#endRefusal(conn, channel, toUs)
    this.#refusalsOf.delete(conn)
  }

  #endAllRefusals(toUs: number): void {
    for (const conn of [...this.#refusalsOf.keys()]) this.#endRefusals(conn, toUs)
    for (const channel of [...this.#refused.keys()]) this.#endWanting(channel, toUs)
  }

  /** It is subscribed, or wanted no more. */
  #endWanting(channel: string, toUs: number): void {
    const fromUs = this.#refused.get(channel)
    this.#refused.delete(channel)
    if (fromUs !== undefined) addTo(this.#wantedRefused, channel, { fromUs, toUs })
  }

  /** An instrument was given up that had not ended: its channels were wanted meanwhile, too. */
  #wantAllAlong(name = '', sinceUs: number): void {
    this.#since.set(name, sinceUs)
    for (const [channel, spans] of this.#spans) {
      const last = spans.at(-1)
      if (last && channel.split('.').includes(name)) last.dropped = false
    }
  }

  #forgetRefused(names: ReadonlySet<string>, us: number): void {
    const isGone = (channel: string) => channel.split('.').some(part => names.has(part))
    for (const [conn, { since }] of this.#refusalsOf)
      for (const channel of [...since.keys()].filter(isGone)) this.#endRefusal(conn, channel, us)
    for (const channel of [...this.#refused.keys()].filter(isGone)) this.#endWanting(channel, us)
    for (const channel of [...this.#anew.keys()].filter(isGone)) this.#anew.delete(channel)
  }
}

const connOf = ({ detail }: { detail: { conn?: string } }) => String(detail.conn)
