import { isUtf8 } from 'node:buffer'
import WebSocket from 'ws'
import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { version } from '../platform/package-info.js'
import { reconnectDelayMs, STABLE_AFTER_MS } from './backoff.js'
import type { Exchange, ExchangeSession, Filed, SessionLink } from './exchange.js'
import type { ReceiveClock } from './receive-clock.js'
import { FrameCounter, type Tape } from './tape.js'

/** Largest frame taken; the exchange's largest answer is about 5 MB. Beyond it the connection is closed with 1009. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024
const HANDSHAKE_TIMEOUT_MS = 10_000
const WATCH_EVERY_MS = 1000
/** A close that is not answered ends by force after this long. */
const CLOSE_TIMEOUT_MS = 2000

export interface ConnectionDeps {
  exchange: Exchange
  tape: Tape
  clock: ReceiveClock
  log: Logger
  random: () => number
}

export type ConnectionState = 'connecting' | 'subscribing' | 'live' | 'waiting' | 'closed'

/** What the last connection left behind, until the next one is live. */
interface Outage {
  fromUs: number
  cause: string
  families: string[]
}

/**
 * One connection slot: opens a WebSocket, records every frame, and opens the next one whenever it ends, for ever. The
 * protocol is the exchange's session's; this class owns the socket's life.
 */
export class Connection {
  readonly name: string
  readonly #deps: ConnectionDeps
  readonly #received: FrameCounter
  readonly #sent: FrameCounter
  readonly #wanted: () => ReadonlySet<string>
  #socket: WebSocket | undefined
  #session: ExchangeSession | undefined
  #outage: Outage | undefined
  #paused = false
  #end: (cause: string) => void = () => undefined
  #failures = 0
  state: ConnectionState = 'connecting'
  sessions = 0
  lastFrameUs = 0

  constructor(name: string, deps: ConnectionDeps, wanted: () => ReadonlySet<string>) {
    this.name = name
    this.#deps = deps
    this.#received = new FrameCounter(name)
    this.#sent = new FrameCounter(`${name}.sent`)
    this.#wanted = wanted
  }

  get frames(): number {
    return this.#received.seq
  }

  get channels(): ReadonlySet<string> {
    return this.#session?.channels ?? new Set()
  }

  get session(): ExchangeSession | undefined {
    return this.state === 'live' ? this.#session : undefined
  }

  /** Keeps the slot connected until `signal` aborts; then the socket is closed and the promise resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const stopping = () => signal.aborted
    while (!stopping()) {
      this.state = 'connecting'
      const openedAt = performance.now()
      await this.#live(signal)
      this.#failures = performance.now() - openedAt > STABLE_AFTER_MS ? 0 : this.#failures + 1
      if (stopping()) break
      this.state = 'waiting'
      const delayMs = reconnectDelayMs(this.#failures, this.#deps.random())
      this.#deps.log.info({ conn: this.name, delayMs, failures: this.#failures }, 'reconnecting')
      await waitOrAbort(delayMs, signal)
    }
    this.state = 'closed'
  }

  /** Stops or restarts reading from the socket: while the disk is slow, the exchange must wait, not our memory. */
  setPaused(paused: boolean): void {
    this.#paused = paused
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  /** Ends the connection that is open now; the next one is opened as after any other end. */
  restart(cause: string): void {
    this.#end(cause)
  }

  /** Subscribes and unsubscribes what changed in the wanted set. */
  async update(): Promise<void> {
    await this.session?.update()
  }

  /** One socket from opening to its end. */
  #live(signal: AbortSignal): Promise<void> {
    const { exchange, log } = this.#deps
    const socket = new WebSocket(exchange.url, {
      perMessageDeflate: false,
      maxPayload: FRAME_BYTES_MAX,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      followRedirects: false,
      // Invalid UTF-8 would end the connection; it is recorded as it came instead.
      skipUTF8Validation: true,
      headers: { 'User-Agent': `edgetape/${version}` },
    })
    this.#socket = socket
    this.sessions++
    let cause = ''
    let opened = false
    const end = (why: string) => {
      if (cause === '') cause = why
      socket.terminate()
    }
    this.#end = end
    const abort = () => {
      cause = 'stopping'
      socket.close(1000)
      setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref()
    }
    signal.addEventListener('abort', abort, { once: true })
    const session = exchange.openSession(this.#linkTo(socket, end), this.#wanted)
    this.#session = session
    const watchdog = this.#watch(end)

    return new Promise(resolve => {
      socket.on('open', () => {
        opened = true
        this.#opened(session, end)
      })
      socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary, session))
      socket.on('error', error => (cause ||= messageOf(error)))
      socket.on('close', (code, reason) => {
        clearInterval(watchdog)
        signal.removeEventListener('abort', abort)
        session.closed()
        const facts = {
          session: this.sessions,
          code,
          reason: reason.toString('utf8'),
          cause: cause || 'closed by the exchange',
        }
        if (opened) this.#noteOutage(facts.cause, session)
        this.#deps.tape.journal(opened ? 'disconnected' : 'connect_failed', { conn: this.name, ...facts })
        log[signal.aborted ? 'info' : 'warn']({ conn: this.name, ...facts }, opened ? 'disconnected' : 'cannot connect')
        resolve()
      })
    })
  }

  #opened(session: ExchangeSession, end: (why: string) => void): void {
    const { tape, clock, log, exchange } = this.#deps
    this.lastFrameUs = clock.nowUs()
    this.state = 'subscribing'
    tape.journal('connected', { conn: this.name, session: this.sessions, url: exchange.url })
    log.info({ conn: this.name, url: exchange.url }, 'connected')
    if (this.#paused) this.#socket?.pause()
    session.start().then(
      () => {
        if (this.#session !== session || this.state !== 'subscribing') return
        this.state = 'live'
        this.#closeOutage()
        log.info({ conn: this.name, channels: session.channels.size }, 'live')
        // What is wanted may have changed since the session began to subscribe.
        session.update().catch((error: unknown) => end(messageOf(error)))
      },
      (error: unknown) => end(messageOf(error)),
    )
  }

  #receive(data: Buffer, isBinary: boolean, session: ExchangeSession): void {
    const { tape, clock } = this.#deps
    // After the wall clock was set back, frames may still come from the socket that is being ended for it.
    const recvUs = Math.max(clock.nowUs(), this.lastFrameUs)
    this.lastFrameUs = recvUs
    const family = session.data(data, recvUs)
    if (family !== undefined) {
      tape.take(family, this.#received, recvUs, data)
      return
    }
    const filed: Filed = isBinary && !isUtf8(data) ? { family: 'other' } : session.control(data)
    tape.take(filed.family, this.#received, recvUs, filed.recorded ?? data)
  }

  #linkTo(socket: WebSocket, end: (why: string) => void): SessionLink {
    const { tape, clock } = this.#deps
    return {
      conn: this.name,
      send: (text, recorded = text) => {
        if (socket.readyState !== WebSocket.OPEN) return
        tape.take('sent', this.#sent, clock.nowUs(), Buffer.from(recorded))
        socket.send(text)
      },
      ping: () => {
        if (socket.readyState === WebSocket.OPEN) socket.ping()
      },
      journal: (event, facts) => tape.journal(event, { conn: this.name, ...facts }),
      nowUs: () => clock.nowUs(),
      fail: end,
    }
  }

  /** Ends a socket that is silent although the exchange promised heartbeats. Our own pauses do not count as silence. */
  #watch(end: (why: string) => void): NodeJS.Timeout {
    const { exchange, clock } = this.#deps
    let lastTick = performance.now()
    return setInterval(() => {
      const now = performance.now()
      const stalled = now - lastTick > 3 * WATCH_EVERY_MS
      lastTick = now
      if (stalled || this.#paused) this.lastFrameUs = clock.nowUs()
      const silentMs = (clock.nowUs() - this.lastFrameUs) / 1000
      if (this.state !== 'connecting' && silentMs > exchange.silenceMs)
        end(`nothing received for ${Math.round(silentMs / 1000)} s`)
    }, WATCH_EVERY_MS)
  }

  #noteOutage(cause: string, session: ExchangeSession): void {
    if (this.#outage !== undefined || session.channels.size === 0) return
    const families = [
      ...new Set([...session.channels].map(channel => this.#deps.exchange.familyOfChannel(channel))),
    ].sort()
    this.#outage = { fromUs: this.lastFrameUs, cause, families }
  }

  #closeOutage(): void {
    if (!this.#outage) return
    const { fromUs, cause, families } = this.#outage
    this.#deps.tape.gap(families, { from_us: fromUs, to_us: this.#deps.clock.nowUs(), conn: this.name, cause })
    this.#outage = undefined
  }
}

function waitOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
