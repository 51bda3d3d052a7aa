import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../platform/log.js'
import { shownUrl } from '../../platform/shown-url.js'
import type { Complaints } from '../complaints.js'
import type { Credits } from '../../exchanges/credits.js'
import type { ExchangeSession } from '../../exchanges/adapter.js'
import type { ReceiveClock } from '../receive-clock.js'
import { FrameCounter, type FrameRouter } from '../frame-router.js'
import { reconnectDelayMs, STABLE_AFTER_MS } from '../../platform/backoff.js'
import { FrameRate } from './frame-rate.js'
import type { OutageAccount } from './outage-account.js'
import type { OutageLedger } from './outage-ledger.js'
import type { Pulse } from '../pulse.js'
import type { BrokenFrame } from '../storage/messages.js'
import { Link, type OwnerLink, type LinkCounters, type LinkDeps, type LinkEnd } from './link.js'

export interface ConnectionDeps extends LinkDeps {
  /** Turns for new connections, where the exchange limits them. */
  dials?: Pick<Credits, 'take'>
  router: FrameRouter
  clock: ReceiveClock
  complaints: Complaints
  log: Logger
  ledger: OutageLedger
  random: () => number
  /** Finds the recorder's own standstills. */
  pulse?: Pick<Pulse, 'heardBefore'>
}

export type ConnectionState = 'connecting' | 'subscribing' | 'live' | 'waiting' | 'closed'

/** A renewal whose new connection is not live by then is given up; the old one stays. */
const RENEW_WITHIN_MS = 300_000

const STOPPING = 'stopping'
const RENEWED = 'renewed'

interface Renewal {
  cause: string
  deadlineMs: number
  done: () => void
}

/** What went wrong last, for the status. */
export interface LastError {
  at: string
  message: string
  hint?: string
}

/**
 * One connection slot: keeps a link to the exchange, for ever. A link that ends is replaced; one that is to be renewed
 * stays until the new one is live. The two links of a renewal have names of their own, `d1` and `d1b`, by turns.
 */
export class Connection {
  readonly name: string
  readonly #deps: ConnectionDeps
  readonly #wanted: () => ReadonlySet<string>
  readonly account: OutageAccount
  readonly #owner: OwnerLink
  readonly #counters: readonly LinkCounters[]
  readonly #rate = new FrameRate()
  #link: Link | undefined
  #next: Link | undefined
  #renewal: Renewal | undefined
  #openedMs = 0
  #failures = 0
  #paused = false
  #stopped = false
  /** What it carried when the recorder stopped. */
  #left: ReadonlySet<string> = new Set()
  #tried: () => void = () => undefined
  /** Resolves when the first try was made, whether it went well or not. */
  readonly firstTry = new Promise<void>(resolve => (this.#tried = resolve))
  /** Links so far that were reported: the first try, each try after, each renewal. */
  sessions = 0
  reconnects = 0
  /** Outages that ended: the connection carries everything again. */
  outagesOver = 0
  #isOut = false
  lastError: LastError | undefined

  /** @param group connections of one group carry the same channels */
  constructor(name: string, group: number, deps: ConnectionDeps, wanted: () => ReadonlySet<string>, owner: OwnerLink) {
    this.name = name
    this.#deps = deps
    this.#wanted = wanted
    this.account = deps.ledger.open({
      conn: name,
      group,
      heardUs: () => this.#link?.heardUs ?? 0,
      channels: () => this.#link?.session.channels ?? this.#left,
    })
    this.#counters = [name, `${name}b`].map(conn => ({
      received: new FrameCounter(conn),
      sent: new FrameCounter(`${conn}.sent`),
      flows: this.account.flows,
    }))
    this.#owner = owner
  }

  get state(): ConnectionState {
    if (this.#stopped) return 'closed'
    return this.#link === undefined || this.#link.state === 'closed' ? 'waiting' : this.#link.state
  }

  get frames(): number {
    return this.#counters.reduce((sum, { received }) => sum + received.seq, 0)
  }

  /** To be asked about once a second. */
  get framesPerSecond(): number {
    return this.#rate.at(this.frames, performance.now())
  }

  /** Receive stamp of the last frame, µs; 0 before the first connection. */
  get lastFrameUs(): number {
    return this.#link?.heardUs ?? 0
  }

  get channels(): ReadonlySet<string> {
    return this.#link?.session.channels ?? new Set()
  }

  get session(): ExchangeSession | undefined {
    return this.#link?.state === 'live' ? this.#link.session : undefined
  }

  /** Keeps the slot connected until `signal` aborts; then the sockets are closed and the promise resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.#stopRenewal()
      for (const link of [this.#link, this.#next]) link?.close(STOPPING)
    }
    signal.addEventListener('abort', stop, { once: true })
    while (!signal.aborted) {
      if (this.#link === undefined && !(await this.#takesTurn(signal))) break
      const link = (this.#link ??= this.#dial(this.#failures))
      const end = await link.ended
      // Another one took its place.
      if (this.#link !== link) continue
      this.#noteBreak(link, end)
      this.#link = this.#next
      this.#next = undefined
      this.#stopRenewal()
      if (this.#link === undefined) await this.#wait(end, signal)
    }
    await this.#next?.ended
    await this.#link?.ended
    this.#stopped = true
  }

  /** Nothing is read at present. */
  get isPaused(): boolean {
    return this.#paused
  }

  setPaused(paused: boolean): void {
    this.#paused = paused
    for (const link of [this.#link, this.#next]) link?.setPaused(paused)
  }

  /** A frame that was taken for whole is none. */
  foundBroken(frame: BrokenFrame): void {
    for (const link of [this.#link, this.#next]) if (link?.conn === frame.conn) link.foundBroken(frame)
  }

  /** Subscribes and unsubscribes what changed in the wanted set. */
  async update(): Promise<void> {
    await Promise.all([this.session?.update(), this.#next?.state === 'live' ? this.#next.session.update() : undefined])
  }

  /**
   * Makes a new connection and, once it is live, ends the old one. Resolves when that is done, when the old one ended
   * before, or when it is given up; at once where there is nothing to renew or a renewal is under way.
   */
  renew(cause: string): Promise<void> {
    if (this.#renewal !== undefined || this.state !== 'live') return Promise.resolve()
    return new Promise(done => {
      this.#renewal = { cause, deadlineMs: performance.now() + RENEW_WITHIN_MS, done }
      this.#deps.log.info({ conn: this.name, cause }, 'renewing the connection')
      void this.#dialNext(0)
    })
  }

  /** Exchanges take only so many new connections in a second. */
  async #takesTurn(signal?: AbortSignal): Promise<boolean> {
    const waitMs = this.#deps.dials?.take(1) ?? 0
    if (waitMs > 0) await delay(waitMs, undefined, { ref: false, ...(signal && { signal }) }).catch(() => undefined)
    return signal?.aborted !== true
  }

  async #dialNext(failures: number): Promise<void> {
    const asked = this.#renewal
    await this.#takesTurn()
    if (asked === undefined || this.#renewal !== asked) return
    const link = (this.#next = this.#dial(failures))
    void link.ended.then(async end => {
      if (this.#next !== link) return
      this.#next = undefined
      this.#noteEnd(link, end)
      const renewal = this.#renewal
      if (!renewal) return
      if (performance.now() > renewal.deadlineMs) {
        this.#stopRenewal()
        return
      }
      await new Promise(resolve => setTimeout(resolve, this.#delayAfter(end, failures + 1)).unref())
      if (this.#renewal === renewal) void this.#dialNext(failures + 1)
    })
  }

  #stopRenewal(): void {
    this.#renewal?.done()
    this.#renewal = undefined
  }

  #dial(failures: number): Link {
    const { router, log, complaints, exchange } = this.#deps
    const other = this.#link?.conn
    const counters = this.#counters.find(({ received }) => received.conn !== other)
    if (!counters) throw new Error('a connection has two names')
    const session = ++this.sessions
    const link = new Link(counters, this.#deps, this.#wanted, this.#owner, {
      opened: () => {
        const facts = { conn: link.conn, session, url: shownUrl(exchange.url) }
        // After failures this is one more try, not news.
        if (failures > 0) complaints.report({ event: 'connected', message: 'connected', level: 'info', facts })
        else {
          router.journal('connected', facts)
          log.info(facts, 'connected')
        }
      },
      live: () => this.#becameLive(link),
    })
    if (this.#paused) link.setPaused(true)
    this.#openedMs = performance.now()
    return link
  }

  #becameLive(link: Link): void {
    const { router, log, clock, ledger } = this.#deps
    const facts = { conn: link.conn, channels: link.session.channels.size }
    router.journal('live', facts)
    log.info(facts, 'live')
    if (link === this.#next) {
      const old = this.#link
      const cause = `${RENEWED}: ${this.#renewal?.cause ?? ''}`
      this.#link = link
      this.#next = undefined
      this.#stopRenewal()
      if (old) {
        void old.ended.then(end => this.#noteEnd(old, end))
        old.close(cause)
      }
    }
    if (this.#isOut) this.outagesOver++
    this.#isOut = false
    this.account.up(clock.nowUs())
    ledger.settleAlone(this.account, clock.nowUs())
    this.#tried()
  }

  /** The link that counts has ended. */
  #noteBreak(link: Link, end: LinkEnd): void {
    this.#noteEnd(link, end)
    // What ends with the recorder is no outage of this connection.
    if (end.cause === STOPPING) this.#left = end.channels
    else {
      this.#isOut = true
      this.account.down(this.#deps.pulse?.heardBefore(link.heardUs) ?? link.heardUs, end.cause, end.channels)
    }
    this.#failures = performance.now() - this.#openedMs > STABLE_AFTER_MS ? 0 : this.#failures + 1
    this.#tried()
  }

  #noteEnd(link: Link, { opened, wasLive, channels, hint, cause, code, reason }: LinkEnd): void {
    const { router, log, complaints } = this.#deps
    const isOrderly = cause === STOPPING || cause.startsWith(RENEWED)
    const facts = {
      ...{ conn: link.conn, session: this.sessions, cause, code },
      ...(reason !== undefined && { reason }),
      // A try that came to nothing begins no outage.
      ...(opened && !wasLive && { before_live: true }),
    }
    const hinted = hint === undefined ? {} : { hint }
    if (opened && !isOrderly) this.reconnects++
    if (!isOrderly) this.lastError = { at: new Date().toISOString(), message: cause, ...hinted }
    if (opened && (channels.size > 0 || isOrderly)) {
      router.journal('disconnected', facts)
      log[isOrderly ? 'info' : 'warn']({ ...facts, ...hinted }, 'disconnected')
    } else if (!isOrderly) {
      // One that never came to carry anything may fail for hours, in the same way.
      complaints.report({ event: opened ? 'disconnected' : 'connect_failed', message: cause, facts, ...hinted })
    }
  }

  async #wait(end: LinkEnd, signal: AbortSignal): Promise<void> {
    const delayMs = this.#delayAfter(end, this.#failures)
    this.#deps.log.debug({ conn: this.name, delayMs, failures: this.#failures }, 'reconnecting')
    await delay(delayMs, undefined, { signal, ref: false }).catch(() => undefined)
  }

  #delayAfter({ patience, retryAfterMs = 0 }: LinkEnd, failures: number): number {
    return Math.max(retryAfterMs, reconnectDelayMs(failures, this.#deps.random(), patience))
  }
}
