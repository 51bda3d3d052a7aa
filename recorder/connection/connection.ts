import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../platform/log.js'
import { shownUrl } from '../../platform/shown-url.js'
import type { Complaints } from '../complaints.js'
import type { Credits } from '../../exchanges/credits.js'
import type { ExchangeSession } from '../../exchanges/adapter.js'
import type { ReceiveClock } from '../receive-clock.js'
import { FrameCounter, type Tape } from '../tape.js'
import { reconnectDelayMs, STABLE_AFTER_MS } from '../../platform/backoff.js'
import { FrameRate } from './frame-rate.js'
import type { OutageAccount } from './outage-account.js'
import type { OutageLedger } from './outage-ledger.js'
import type { Pulse } from '../pulse.js'
import type { BrokenFrame } from '../storage/messages.js'
import { Wire, type OwnerLink, type WireCounters, type WireDeps, type WireEnd } from './wire.js'

export interface ConnectionDeps extends WireDeps {
  /** Turns for new connections, where the exchange limits them. */
  dials?: Pick<Credits, 'take'>
  tape: Tape
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
 * One connection slot: keeps a wire to the exchange, for ever. A wire that ends is replaced; one that is to be renewed
 * stays until the new one is live. The two wires of a renewal have names of their own, `d1` and `d1b`, by turns.
 */
export class Connection {
  readonly name: string
  readonly #deps: ConnectionDeps
  readonly #wanted: () => ReadonlySet<string>
  readonly account: OutageAccount
  readonly #owner: OwnerLink
  readonly #counters: readonly WireCounters[]
  readonly #rate = new FrameRate()
  #wire: Wire | undefined
  #next: Wire | undefined
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
  /** Wires so far that were told of: the first try, each try after, each renewal. */
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
      heardUs: () => this.#wire?.heardUs ?? 0,
      channels: () => this.#wire?.session.channels ?? this.#left,
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
    return this.#wire === undefined || this.#wire.state === 'closed' ? 'waiting' : this.#wire.state
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
    return this.#wire?.heardUs ?? 0
  }

  get channels(): ReadonlySet<string> {
    return this.#wire?.session.channels ?? new Set()
  }

  get session(): ExchangeSession | undefined {
    return this.#wire?.state === 'live' ? this.#wire.session : undefined
  }

  /** Keeps the slot connected until `signal` aborts; then the sockets are closed and the promise resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.#stopRenewal()
      for (const wire of [this.#wire, this.#next]) wire?.close(STOPPING)
    }
    signal.addEventListener('abort', stop, { once: true })
    while (!signal.aborted) {
      if (this.#wire === undefined && !(await this.#takesTurn(signal))) break
      const wire = (this.#wire ??= this.#dial(this.#failures))
      const end = await wire.ended
      // Another one took its place.
      if (this.#wire !== wire) continue
      this.#noteBreak(wire, end)
      this.#wire = this.#next
      this.#next = undefined
      this.#stopRenewal()
      if (this.#wire === undefined) await this.#wait(end, signal)
    }
    await this.#next?.ended
    await this.#wire?.ended
    this.#stopped = true
  }

  /** Nothing is read at present. */
  get isPaused(): boolean {
    return this.#paused
  }

  setPaused(paused: boolean): void {
    this.#paused = paused
    for (const wire of [this.#wire, this.#next]) wire?.setPaused(paused)
  }

  /** A frame that was taken for whole is none. */
  foundBroken(frame: BrokenFrame): void {
    for (const wire of [this.#wire, this.#next]) if (wire?.conn === frame.conn) wire.foundBroken(frame)
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
    const wire = (this.#next = this.#dial(failures))
    void wire.ended.then(async end => {
      if (this.#next !== wire) return
      this.#next = undefined
      this.#noteEnd(wire, end)
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

  #dial(failures: number): Wire {
    const { tape, log, complaints, exchange } = this.#deps
    const other = this.#wire?.conn
    const counters = this.#counters.find(({ received }) => received.conn !== other)
    if (!counters) throw new Error('a connection has two names')
    const session = ++this.sessions
    const wire = new Wire(counters, this.#deps, this.#wanted, this.#owner, {
      opened: () => {
        const facts = { conn: wire.conn, session, url: shownUrl(exchange.url) }
        // After failures this is one more try, not news.
        if (failures > 0) complaints.tell({ event: 'connected', message: 'connected', level: 'info', facts })
        else {
          tape.journal('connected', facts)
          log.info(facts, 'connected')
        }
      },
      live: () => this.#becameLive(wire),
    })
    if (this.#paused) wire.setPaused(true)
    this.#openedMs = performance.now()
    return wire
  }

  #becameLive(wire: Wire): void {
    const { tape, log, clock, ledger } = this.#deps
    const facts = { conn: wire.conn, channels: wire.session.channels.size }
    tape.journal('live', facts)
    log.info(facts, 'live')
    if (wire === this.#next) {
      const old = this.#wire
      const cause = `${RENEWED}: ${this.#renewal?.cause ?? ''}`
      this.#wire = wire
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

  /** The wire that counts has ended. */
  #noteBreak(wire: Wire, end: WireEnd): void {
    this.#noteEnd(wire, end)
    // What ends with the recorder is no outage of this connection.
    if (end.cause === STOPPING) this.#left = end.channels
    else {
      this.#isOut = true
      this.account.down(this.#deps.pulse?.heardBefore(wire.heardUs) ?? wire.heardUs, end.cause, end.channels)
    }
    this.#failures = performance.now() - this.#openedMs > STABLE_AFTER_MS ? 0 : this.#failures + 1
    this.#tried()
  }

  #noteEnd(wire: Wire, { opened, wasLive, channels, hint, cause, code, reason }: WireEnd): void {
    const { tape, log, complaints } = this.#deps
    const isOrderly = cause === STOPPING || cause.startsWith(RENEWED)
    const facts = {
      ...{ conn: wire.conn, session: this.sessions, cause, code },
      ...(reason !== undefined && { reason }),
      // A try that came to nothing begins no outage.
      ...(opened && !wasLive && { before_live: true }),
    }
    const hinted = hint === undefined ? {} : { hint }
    if (opened && !isOrderly) this.reconnects++
    if (!isOrderly) this.lastError = { at: new Date().toISOString(), message: cause, ...hinted }
    if (opened && (channels.size > 0 || isOrderly)) {
      tape.journal('disconnected', facts)
      log[isOrderly ? 'info' : 'warn']({ ...facts, ...hinted }, 'disconnected')
    } else if (!isOrderly) {
      // One that never came to carry anything may fail for hours, in the same way.
      complaints.tell({ event: opened ? 'disconnected' : 'connect_failed', message: cause, facts, ...hinted })
    }
  }

  async #wait(end: WireEnd, signal: AbortSignal): Promise<void> {
    const delayMs = this.#delayAfter(end, this.#failures)
    this.#deps.log.debug({ conn: this.name, delayMs, failures: this.#failures }, 'reconnecting')
    await delay(delayMs, undefined, { signal, ref: false }).catch(() => undefined)
  }

  #delayAfter({ patience, retryAfterMs = 0 }: WireEnd, failures: number): number {
    return Math.max(retryAfterMs, reconnectDelayMs(failures, this.#deps.random(), patience))
  }
}
