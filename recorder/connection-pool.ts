import type { FactsOf } from '../formats/journal/events.js'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../platform/edge-error.js'
import { assignChannels, type Assignment } from './assign-channels.js'
import type { Measured } from './clock-facts.js'
import { reconnectDelayMs } from '../platform/backoff.js'
import { Connection, type ConnectionDeps } from './connection/connection.js'
import type { ChannelPlan, Ends, NotOffered, PlanChange, Spread } from '../exchanges/adapter.js'
import { Credits } from '../exchanges/credits.js'
import { slotOf } from '../formats/journal/outages.js'
import { journalSubscriptions } from './subscription-set.js'
import type { BrokenFrame } from './storage/messages.js'
import type { FrameCounter } from './frame-router.js'
import { ChannelWatch } from './channel-watch.js'
import { SilenceWatch } from './silence-watch.js'
import { HourMark } from './utc-hour.js'

/** How often is looked for instruments that came or went, and for a new hour. */
const LOOK_EVERY_MS = 1000
/** Two lists of instruments are at least this far apart, whatever frames say. */
const LISTS_APART_MS = 10_000
/** One announcement comes over every connection, and for every index. */
const ANNOUNCED_AGAIN_MS = 600_000
/** A connection is not made anew more often than this, whatever asks for it. */
const RENEWALS_APART_MS = 3000
/** Names of instruments in one journal entry. */
const NAMES_PER_ENTRY = 500

/** Keeps as many connections as the plan needs, and the plan up to date. */
export class ConnectionPool {
  readonly #deps: ConnectionDeps
  readonly #options: Spread
  readonly #plansNothingHint: string
  readonly #answers: FrameCounter
  readonly connections: Connection[] = []
  readonly #running: Promise<void>[] = []
  readonly #silence: SilenceWatch
  readonly #channels: ChannelWatch
  /** By endpoint: the channels of its connections, by their place among them. */
  readonly #assignments = new Map<string, Assignment>()
  /** By endpoint: its connections. */
  readonly #opened = new Map<string, number>()
  #plannedChannels = 0
  /** Channels, and what has none, that the config asks for and that cannot be had. */
  notOffered: readonly string[] = []
  readonly #journalledNotOffered = new Set<string>()
  /** By connection, and of all: when it was last announced that the exchange ends it. */
  readonly #announcedMs = new Map<string, number>()
  /** The best measurement since it was last asked for. */
  #measured: Measured | undefined
  /** How far the exchange's clock is ahead of receive stamps, as it was measured last. */
  exchangeOffsetUs: number | undefined

  /**
   * @param plansNothingHint what a person may do where the exchange lists nothing that is asked for
   * @param answers counts what is recorded of answers over HTTP
   */
  constructor(deps: ConnectionDeps, options: Spread, plansNothingHint: string, answers: FrameCounter) {
    const { dialsPerSecond } = options
    this.#deps = dialsPerSecond === undefined ? deps : { ...deps, dials: new Credits(1, dialsPerSecond) }
    this.#options = options
    this.#plansNothingHint = plansNothingHint
    this.#answers = answers
    this.#silence = new SilenceWatch(deps, this.connections)
    this.#channels = new ChannelWatch(deps, this.connections)
  }

  /** The exchange's clock against ours, from the quickest answer since the last call; undefined where none came. */
  takeMeasured(): Measured | undefined {
    const measured = this.#measured
    this.#measured = undefined
    return measured
  }

  /** To be called about once a second: looks for silence, settles outages, reports counts of complaints. */
  look(): void {
    const { ledger, complaints, clock } = this.#deps
    this.#silence.look(performance.now())
    this.#channels.look()
    ledger.settle(clock.nowUs())
    complaints.tick()
  }

  /** Makes a new connection for each, one after the other, and ends the old one when the new one is live. */
  async renewAll(cause: string): Promise<void> {
    for (const connection of this.connections) await connection.renew(cause)
  }

  /** The clock was set. */
  shift(): void {
    this.#channels.shift()
  }

  /** A frame that one of the connections took for whole is none. */
  foundBroken(frame: BrokenFrame): void {
    for (const connection of this.connections) connection.foundBroken(frame)
  }

  /** All that is planned is subscribed, on connections that live. */
  get isWhole(): boolean {
    return this.#plannedChannels > 0 && this.connections.every(({ state }) => state === 'live')
  }

  get plannedChannels(): number {
    return this.#plannedChannels
  }

  /** Discovers, connects and keeps both current until `signal` aborts; resolves when all sockets are closed. */
  async run(signal: AbortSignal): Promise<void> {
    const hour = new HourMark(this.#deps.clock.nowUs())
    let failures = 0
    let listedMs = -Infinity
    let listDueMs = -Infinity
    let outagesSeen = 0
    while (!signal.aborted) {
      const newHour = hour.isNew(this.#deps.clock.nowUs())
      if (newHour) {
        journalSubscriptions(this.connections, this.#deps.router)
        this.#journalledNotOffered.clear()
      }
      const news = this.#deps.exchange.news()
      // What was listed, or went, while nothing was heard.
      const outages = this.connections.reduce((sum, { outagesOver }) => sum + outagesOver, 0)
      const wantsList = (news === 'discover' || outages > outagesSeen) && performance.now() - listedMs > LISTS_APART_MS
      if (typeof news === 'object') this.#apply(news, signal)
      if (newHour || wantsList || performance.now() >= listDueMs) {
        const change = await this.#discover(signal)
        if (change) this.#apply(change, signal)
        failures = change ? 0 : failures + 1
        listedMs = performance.now()
        outagesSeen = outages
        // Without any plan nothing is recorded at all: that is tried again soon, a failed refresh with more patience.
        const waitMs = change ? this.#options.rediscoverMs : reconnectDelayMs(failures, this.#deps.random())
        listDueMs = listedMs + waitMs
      }
      const waitMs = Math.max(0, Math.min(LOOK_EVERY_MS, listDueMs - performance.now()))
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
    await Promise.all(this.#running)
    this.#channels.close()
    this.#deps.ledger.close(this.#deps.clock.nowUs())
  }

  async #discover(signal: AbortSignal): Promise<PlanChange | undefined> {
    const { exchange, router, clock } = this.#deps
    try {
      const change = await exchange.discover(
        (family, answer) => router.take(family, this.#answers, clock.nowUs(), answer),
        signal,
      )
      if (change.plan.size > 0) return change
      this.#deps.complaints.report({
        event: 'discovery_failed',
        message: 'the exchange lists nothing that this config asks for',
        level: 'error',
        hint: this.#plansNothingHint,
      })
    } catch (error) {
      if (signal.aborted) return undefined
      const message = `cannot list instruments: ${messageOf(error)}`
      this.#deps.complaints.report({ event: 'discovery_failed', message })
    }
    return undefined
  }

  #apply(change: PlanChange, signal: AbortSignal): void {
    this.#journalChange(change)
    const { plan } = change
    const { router, log } = this.#deps
    this.#assign(plan)
    if (plan.size !== this.#plannedChannels) {
      const connections = [...this.#assignments.values()].reduce((sum, { length }) => sum + length, 0)
      router.journal('planned', { channels: plan.size, connections })
      log.info({ channels: plan.size, connections }, 'planned')
    }
    this.#plannedChannels = plan.size
    for (const connection of this.connections) {
      connection
        .update()
        .catch((error: unknown) =>
          log.warn({ conn: connection.name, err: messageOf(error) }, 'subscriptions not updated'),
        )
    }
    for (const [url, { length }] of this.#assignments)
      for (let place = this.#opened.get(url) ?? 0; place < length; place++) this.#add(url, place, signal)
  }

  /** Spreads the plan over the connections of each endpoint. */
  #assign(plan: ChannelPlan): void {
    const { exchange } = this.#deps
    const parts = new Map<string, Map<string, number>>()
    for (const url of this.#assignments.keys()) parts.set(url, new Map())
    for (const [channel, weight] of plan) {
      const url = exchange.endpointOf?.(channel) ?? exchange.url
      const part = parts.get(url) ?? new Map<string, number>()
      parts.set(url, part.set(channel, weight))
    }
    if (parts.size === 0) parts.set(exchange.url, new Map())
    for (const [url, part] of parts)
      this.#assignments.set(url, assignChannels(part, this.#assignments.get(url) ?? [], this.#options))
  }

  #journalChange({ added, removed, returned = [], notOffered = [] }: PlanChange): void {
    const { router, log, clock } = this.#deps
    this.#journalNotOffered(notOffered)
    for (const instruments of partsOf(added)) router.journal('instruments_added', { instruments })
    for (const { instruments: gone, reason } of removed) {
      for (const instruments of partsOf(gone)) router.journal('instruments_removed', { instruments, reason })
    }
    const nowUs = clock.nowUs()
    for (const { instrument, awayMs, cause = LISTED_AGAIN } of returned) {
      router.journal('unlisted', { instrument, from_us: nowUs - Math.round(awayMs * 1000), to_us: nowUs, cause })
      log.warn({ instrument, awayMs: Math.round(awayMs), cause }, 'an instrument was not recorded all the time')
    }
    const left = removed.reduce((sum, { instruments }) => sum + instruments.length, 0)
    if (added.length + left > 0) log.info({ added: added.length, removed: left }, 'instruments came and went')
  }

  /** What cannot be had, by name: once, and again in each hour. */
  #journalNotOffered(notOffered: readonly NotOffered[]): void {
    const { router, log } = this.#deps
    this.notOffered = notOffered.flatMap(({ channels = [], instruments = [] }) => [...channels, ...instruments])
    const isNew = (name: string) => !this.#journalledNotOffered.has(name)
    for (const { channels = [], instruments = [], reason } of notOffered) {
      for (const part of partsOf(channels.filter(isNew))) router.journal('not_offered', { channels: part, reason })
      for (const part of partsOf(instruments.filter(isNew)))
        router.journal('not_offered', { instruments: part, reason })
      const fresh = [...channels, ...instruments].filter(isNew)
      for (const name of fresh) this.#journalledNotOffered.add(name)
      if (fresh.length > 0) log.warn({ names: fresh.slice(0, 10), count: fresh.length, reason }, 'cannot be recorded')
    }
  }

  /** @param place among the connections of the endpoint */
  #add(url: string, place: number, signal: AbortSignal): void {
    const index = this.connections.length
    const { redundancy } = this.#options
    const deps = { ...this.#deps, exchange: { ...this.#deps.exchange, url } }
    this.#opened.set(url, place + 1)
    // As channels are assigned: the copies take turns; those of an endpoint come together.
    const group = Math.floor(index / redundancy)
    const wanted = () => this.#assignments.get(url)?.[place] ?? new Set<string>()
    const connection = new Connection(`d${index + 1}`, group, deps, wanted, {
      maintenance: (facts, ends = 'all') => this.#announced(facts, ends),
      measured: (...measured) => this.#note(...measured),
    })
    // What began together may end together: the second copy is connected when the first one is.
    const before = index % redundancy === 0 ? undefined : this.connections[index - 1]?.firstTry
    this.connections.push(connection)
    this.#running.push(before ? before.then(() => connection.run(signal)) : connection.run(signal))
  }

  #announced(facts: FactsOf<'maintenance'>, ends: Ends): void {
    // An end of all is announced by each connection; an end of one counts however soon after another.
    const about = ends === 'this' ? slotOf(facts.conn) : ends
    const nowMs = performance.now()
    const lastMs = this.#announcedMs.get(about) ?? -Infinity
    // The one that follows a renewal at once waits for its turn.
    const waitMs = ends === 'this' ? Math.max(0, lastMs + RENEWALS_APART_MS - nowMs) : 0
    if (lastMs > nowMs || (ends === 'all' && nowMs - lastMs < ANNOUNCED_AGAIN_MS)) return
    this.#announcedMs.set(about, nowMs + waitMs)
    const { router, log } = this.#deps
    router.journal('maintenance', facts)
    log.warn(facts, 'the exchange announces maintenance: reconnecting before it closes connections')
    const cause = 'maintenance announced'
    if (ends === 'all') void this.renewAll(cause)
    else {
      const connection = this.connections.find(({ name }) => name === about)
      setTimeout(() => void connection?.renew(cause), waitMs).unref()
    }
  }

  #note(offsetUs: number, roundTripUs: number): void {
    this.exchangeOffsetUs = offsetUs
    if (this.#measured === undefined || roundTripUs < this.#measured.roundTripUs)
      this.#measured = { offsetUs, roundTripUs }
  }
}

const LISTED_AGAIN = 'the exchange did not list it, and lists it again'

function partsOf(names: readonly string[]): string[][] {
  const parts = Math.ceil(names.length / NAMES_PER_ENTRY)
  return Array.from({ length: parts }, (_, part) => names.slice(part * NAMES_PER_ENTRY, (part + 1) * NAMES_PER_ENTRY))
}
