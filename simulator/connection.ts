import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Channels, Subscriber } from './broker.js'
import type { Faults } from './faults.js'
import { Heartbeat } from '../exchanges/deribit/simulator/heartbeat.js'
import { heartbeatText } from '../exchanges/deribit/simulator/rpc.js'

/** Without heartbeat and subscriptions a silent connection is cut after this. */
const IDLE_MS = 60_500
const HEARTBEAT_CLOSE = 4000
/** How long a session that was told to go may take to close properly. */
const CLOSE_GRACE_MS = 1_000

export interface SessionSettings {
  /** Multiplies the times of heartbeat and idle close. */
  timeScale: number
  /** Unsent bytes above which a reader counts as too slow. */
  maxBufferedBytes: number
}

/** One WebSocket connection: its login, its subscriptions, its heartbeat. Nothing of it outlives the socket. */
export class Session implements Subscriber {
  /** Client id after a login. */
  login: string | undefined
  readonly channels = new Set<string>()
  readonly heartbeat: Heartbeat
  private silent = false
  private corked = false
  private lastSentMs = Date.now()
  private idleTimer: NodeJS.Timeout | undefined
  private gone = false

  constructor(
    private readonly socket: WebSocket,
    /** The TCP socket below, to send frames of one batch together. */
    private readonly stream: Duplex,
    readonly ip: string,
    private readonly broker: Channels,
    private readonly faults: Faults,
    private readonly settings: SessionSettings,
  ) {
    this.heartbeat = new Heartbeat(
      {
        send: type => this.send(heartbeatText(type)),
        quietFor: ms => Date.now() - this.lastSentMs >= ms,
        expire: () => this.end(HEARTBEAT_CLOSE, 'heartbeat close'),
      },
      settings.timeScale,
    )
    this.restartIdleTimer()
  }

  /** The client sent something; false where nobody listens to it any more. */
  heard(): boolean {
    if (this.gone || this.silent) return false
    this.restartIdleTimer()
    return true
  }

  private restartIdleTimer(): void {
    clearTimeout(this.idleTimer)
    this.idleTimer = setTimeout(() => {
      if (this.heartbeat.running || this.channels.size > 0) this.restartIdleTimer()
      else this.cut()
    }, IDLE_MS * this.settings.timeScale)
  }

  subscribe(channel: string): void {
    this.broker.subscribe(channel, this)
  }

  /** Ends a subscription; false where there was none. */
  unsubscribe(channel: string): boolean {
    this.broker.unsubscribe(channel, this)
    return this.channels.delete(channel)
  }

  deliver(channel: string, frame: Buffer): void {
    if (!this.faults.armed) {
      this.write(frame, false)
      return
    }
    for (const { payload, binary, delayMs } of this.faults.apply(channel, frame)) {
      if (delayMs > 0) setTimeout(() => this.write(payload, binary), delayMs)
      else this.write(payload, binary)
    }
  }

  send(frame: string | Buffer): void {
    this.write(typeof frame === 'string' ? Buffer.from(frame) : frame, false)
  }

  /** Sends `frame` as it is; resolves once it left for the network, or the socket is gone. */
  sendAndWait(frame: Buffer): Promise<void> {
    return new Promise(resolve => this.socket.send(frame, { binary: false }, () => resolve()))
  }

  get open(): boolean {
    return !this.gone && this.socket.readyState === this.socket.OPEN
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount
  }

  /** Lets the frames of a batch go, and drops a reader that does not keep up. */
  flush(): void {
    if (!this.corked) return
    this.corked = false
    this.stream.uncork()
    if (this.socket.bufferedAmount > this.settings.maxBufferedBytes) this.end(1008, 'connection_too_slow')
  }

  /** Closes properly, and by force where the client does not answer. */
  end(code: number, reason: string): void {
    if (this.gone || this.silent) return
    this.leave()
    this.socket.close(code, reason)
    setTimeout(() => this.socket.terminate(), CLOSE_GRACE_MS).unref()
  }

  /** Half-open: the socket stays, but nothing goes out and nothing is read, not even a ping or a close. */
  fallSilent(): void {
    this.silent = true
    clearTimeout(this.idleTimer)
    this.heartbeat.stop()
    this.socket.pause()
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.leave()
    this.socket.terminate()
  }

  /** Stops everything that is done for this session; the socket is closing or closed. */
  leave(): void {
    if (this.gone) return
    this.gone = true
    clearTimeout(this.idleTimer)
    this.heartbeat.stop()
    for (const channel of this.channels) this.broker.unsubscribe(channel, this)
    this.channels.clear()
    if (this.corked) this.stream.uncork()
    this.corked = false
  }

  private write(payload: Buffer, binary: boolean): void {
    if (this.gone || this.silent || this.socket.readyState !== this.socket.OPEN) return
    if (!this.corked) {
      this.corked = true
      this.stream.cork()
      process.nextTick(() => this.flush())
    }
    this.lastSentMs = Date.now()
    this.socket.send(payload, { binary })
  }
}
