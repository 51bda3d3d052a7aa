import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Subscriber } from './broker.js'
import { matches, type ChannelPattern, type Faults } from './faults.js'

/** How long a connection that was asked to go may take to close properly. */
const CLOSE_GRACE_MS = 1_000

/** What a protocol says and does on one connection. */
export interface Conversation {
  /** A frame of the client. */
  heard(frame: Buffer): void
  /** From now on nothing reaches the client, though it does not know. */
  silenced(): void
  /** The connection is gone; nothing of the conversation may outlive this. */
  ended(): void
}

/** One WebSocket connection: what is sent on it, what goes wrong on the way, and its end. Nothing of it outlives the socket. */
export class Connection implements Subscriber {
  /** When something was last sent, real ms. */
  lastSentMs = Date.now()
  private conversation: Conversation | undefined
  private silent = false
  private readonly muted: ChannelPattern[] = []
  private corked = false
  private gone = false

  constructor(
    private readonly socket: WebSocket,
    /** The TCP socket below, to send frames of one batch together. */
    private readonly stream: Duplex,
    /** Address of the client. */
    readonly ip: string,
    private readonly faults: Faults,
    /** Unsent bytes above which a reader counts as too slow. */
    private readonly maxBufferedBytes: number,
  ) {}

  /** Whom frames of the client are for from now on. */
  converse(conversation: Conversation): void {
    this.conversation = conversation
  }

  /** The client sent something. Nobody listens to it any more where the connection is ending, or silent. */
  heard(frame: Buffer): void {
    if (!this.gone && !this.silent) this.conversation?.heard(frame)
  }

  deliver(channel: string, frame: Buffer): void {
    if (this.muted.length > 0 && this.muted.some(pattern => matches(pattern, channel))) return
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
    if (this.socket.bufferedAmount > this.maxBufferedBytes) this.end(1008, 'connection_too_slow')
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
    this.conversation?.silenced()
    this.socket.pause()
  }

  /** Frames of these channels are not sent any more; all else is. */
  mute(pattern: ChannelPattern): void {
    this.muted.push(pattern)
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.leave()
    this.socket.terminate()
  }

  /** Stops everything that is done for this connection; the socket is closing or closed. */
  leave(): void {
    if (this.gone) return
    this.gone = true
    this.conversation?.ended()
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
