import { WebSocket } from '../../platform/web-socket.js'
import type { EventOfConn, FactsOf } from '../../formats/journal/events.js'
import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import { messageOf } from '../../platform/edge-error.js'
import type { Complaints } from '../complaints.js'
import type { Adapter, Complaint, ExchangeSession, Filed, SessionLink } from '../../exchanges/adapter.js'
import type { ReceiveClock, Stamps } from '../receive-clock.js'
import type { FrameCounter, FrameRouter } from '../frame-router.js'
import { dial, type SharedMemory } from './dial.js'
import type { Flows } from './family-flow.js'
import { looksWhole, Pieces } from './pieces.js'
import type { BrokenFrame } from '../storage/messages.js'
import { Liveness } from './liveness.js'
import { WholeFrames } from './whole-frames.js'
import { endOfClose, endOfError, endOfResponse, type SocketEnd } from './socket-end.js'

/** From the first packet to the end of the handshake, however slowly its bytes come. */
const DIAL_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 1000
/** A close that is not answered ends by force after this long. */
const CLOSE_TIMEOUT_MS = 2000

/** What a link needs of the recorder around it. */
export interface LinkDeps {
  exchange: Adapter
  router: Pick<FrameRouter, 'take' | 'journal'>
  clock: Pick<ReceiveClock, 'stamps' | 'nowUs'>
  complaints: Pick<Complaints, 'report'>
}

/** Whose frames these are: the name of the connection in every line, and how many there were. */
export interface LinkCounters {
  received: FrameCounter
  sent: FrameCounter
  /** Of both names of a connection. */
  flows: Flows
}

/** What a session may ask of the loop that owns its connection. */
export type OwnerLink = Pick<SessionLink, 'maintenance' | 'measured'>

export type LinkState = 'connecting' | 'subscribing' | 'live' | 'closed'

export interface LinkEnd extends SocketEnd {
  /** The handshake was done. */
  opened: boolean
  /** Everything asked for had been answered. */
  wasLive: boolean
  /** The last channels that were subscribed. */
  channels: ReadonlySet<string>
  /** Of the close, 1006 where there was none. */
  code: number
  reason?: string
}

/** Each is called once at most. */
export interface LinkEvents {
  opened(): void
  /** Everything asked for was answered. */
  live(): void
}

/** One WebSocket from dialling to its end: records every frame, watches for signs of life. */
export class Link {
  readonly conn: string
  readonly session: ExchangeSession
  /** Resolves when the socket is gone; never rejects. */
  readonly ended: Promise<LinkEnd>
  readonly #deps: LinkDeps
  readonly #counters: LinkCounters
  readonly #socket: WebSocket
  readonly #memory: SharedMemory
  readonly #stamps: Stamps
  readonly #liveness: Liveness
  readonly #events: LinkEvents
  readonly #pieces: Pieces
  #lastFrameUs = 0
  #paused = false
  #tcp: Socket | undefined
  #end: SocketEnd | undefined
  #patience: SocketEnd['patience'] = 'usual'
  state: LinkState = 'connecting'

  constructor(
    counters: LinkCounters,
    deps: LinkDeps,
    wanted: () => ReadonlySet<string>,
    owner: OwnerLink,
    events: LinkEvents,
  ) {
    const { exchange, clock } = deps
    this.conn = counters.received.conn
    this.#deps = deps
    this.#counters = counters
    this.#events = events
    this.#pieces = new Pieces(facts => deps.router.journal('not_whole', { conn: this.conn, ...facts }))
    this.#stamps = clock.stamps()
    this.#lastFrameUs = this.#stamps.nowUs()
    this.#liveness = new Liveness(exchange.liveness, performance.now())
    const { socket, memory } = dial(exchange.url)
    this.#socket = socket
    this.#memory = memory
    this.session = exchange.openSession(this.#linkFor(owner), wanted)
    this.ended = this.#run()
  }

  /** When the last frame came, in the receive clock of now; what is open only now was heard when it was dialled. */
  get heardUs(): number {
    return this.#lastFrameUs - this.#stamps.aheadUs
  }

  /** Stops or restarts reading: while the disk is slow, the exchange must wait, not our memory. */
  setPaused(paused: boolean): void {
    this.#paused = paused
    if (this.#socket.readyState !== WebSocket.OPEN) return
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  /** Ends it at once: nothing more is to be expected of it. */
  cut(cause: string, end: Partial<SocketEnd> = {}): void {
    this.#end ??= { cause, patience: 'usual', ...end }
    this.#socket.terminate()
  }

  /** Says good-bye; what is on its way is still taken. */
  close(cause: string): void {
    this.#end ??= { cause, patience: 'usual' }
    this.#socket.close(1000)
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref()
  }

  #run(): Promise<LinkEnd> {
    const socket = this.#socket
    let opened = false
    const deadline = setTimeout(
      () => this.cut(`no WebSocket within ${DIAL_WITHIN_MS / 1000} s of dialling`, { hint: NO_HANDSHAKE }),
      DIAL_WITHIN_MS,
    )
    const looks = setInterval(() => this.#look(), LOOK_EVERY_MS)
    return new Promise(resolve => {
      socket.on('upgrade', ({ socket: tcp }) => (this.#tcp = tcp))
      const stamp = () => this.#stamps.nowUs()
      const receive = (data: Buffer, isBinary: boolean, recvUs: number) => this.#receive(data, isBinary, recvUs)
      let whole: WholeFrames | undefined
      socket.on('open', () => {
        opened = true
        clearTimeout(deadline)
        whole = this.#tcp && WholeFrames.take(this.#tcp, this.#memory, stamp, receive)
        this.#opened()
      })
      socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary, stamp()))
      socket.on('pong', () => {
        if (this.#deps.exchange.liveness.probeAfterMs !== undefined) this.#liveness.heard()
      })
      socket.on('unexpected-response', (_request, response) => {
        this.#end ??= endOfResponse(response)
        socket.terminate()
      })
      socket.on('error', error => {
        whole?.stop()
        this.#end ??= endOfError(error)
      })
      socket.on('close', (code, reason) => {
        clearTimeout(deadline)
        clearInterval(looks)
        this.#pieces.look(Infinity)
        this.session.closed()
        const wasLive = this.state === 'live'
        this.state = 'closed'
        const end = this.#end ?? endOfClose(code, reason.toString('utf8'))
        const patience = end.patience === 'limited' ? 'limited' : this.#patience
        const facts = { code, ...(reason.length > 0 && { reason: reason.toString('utf8') }) }
        resolve({ ...end, patience, opened, wasLive, channels: this.session.channels, ...facts })
      })
    })
  }

  #opened(): void {
    this.state = 'subscribing'
    this.#lastFrameUs = this.#stamps.nowUs()
    this.#liveness.heard()
    this.#events.opened()
    if (this.#paused) this.#socket.pause()
    this.session.start().then(
      () => this.#becomeLive(),
      (error: unknown) => this.cut(messageOf(error)),
    )
  }

  #becomeLive(): void {
    if (this.state !== 'subscribing') return
    this.state = 'live'
    this.#events.live()
    // What is wanted may have changed since the session began to subscribe.
    this.session.update().catch((error: unknown) => this.cut(messageOf(error)))
  }

  #receive(data: Buffer, isBinary: boolean, recvUs: number): void {
    const { router, exchange } = this.#deps
    this.#lastFrameUs = recvUs
    this.#liveness.heard()
    const piece = isBinary || looksWhole(data) ? undefined : this.session.channelOfPiece?.(data)
    if (piece !== undefined) {
      this.#takePiece(piece, data, recvUs)
      return
    }
    const family = this.session.data(data, recvUs, isBinary)
    const filed = family === undefined ? this.#file(data, isBinary) : undefined
    const kept = filed?.recorded ?? data
    const filedAs = family ?? filed?.family ?? 'other'
    router.take(filedAs, this.#counters.received, recvUs, kept)
    this.#counters.flows.heard(filedAs, recvUs - this.#stamps.aheadUs, kept)
    if (!this.#pieces.isEmpty) this.#pieces.good(filedAs, recvUs)
    const isOdd = isBinary && !exchange.isCompressed
    if (isOdd || data.length > exchange.ordinaryBytesMax) this.#complain(data.length)
  }

  /** Kept as it came; nothing in it is believed, and it shows no life of its family. */
  #takePiece(channel: string, data: Buffer, recvUs: number): void {
    const { router, exchange } = this.#deps
    const { received, flows } = this.#counters
    const family = exchange.familyOfChannel(channel)
    router.take(family, received, recvUs, data)
    this.#pieces.bad(family, channel, recvUs, flows.of(family).lastUs)
  }

  /** Found where it was written: it began and ended as a whole frame does, and nothing in it can be read. */
  foundBroken({ head, recvUs }: BrokenFrame): void {
    const channel = this.session.channelOfPiece?.(Buffer.from(head, 'latin1'))
    if (channel === undefined) return
    const family = this.#deps.exchange.familyOfChannel(channel)
    this.#pieces.bad(family, channel, recvUs, recvUs)
    this.#pieces.good(family, recvUs)
    if (this.state === 'closed') this.#pieces.look(Infinity)
  }

  /** Beyond the size of any answer a frame is not parsed: it would take long, and say nothing. */
  #file(data: Buffer, isBinary: boolean): Filed {
    const { ordinaryBytesMax, isCompressed = false } = this.#deps.exchange
    const isAnswer = data.length <= ordinaryBytesMax && (isCompressed || !isBinary || isUtf8(data))
    return isAnswer ? this.session.control(data, isBinary) : { family: 'other' }
  }

  /** Kept as it came, but nothing that the exchange is known to send. What is no JSON is found where it is written. */
  #complain(bytes: number): void {
    const { complaints, exchange } = this.#deps
    const message =
      bytes > exchange.ordinaryBytesMax
        ? `a frame of ${bytes} bytes; kept as it came`
        : 'a binary frame; kept as it came'
    const { seq } = this.#counters.received
    complaints.report({ event: 'odd_frame', message, facts: { conn: this.conn, seq, bytes } })
  }

  #look(): void {
    this.#pieces.look(this.#stamps.nowUs())
    if (this.state !== 'subscribing' && this.state !== 'live') return
    switch (this.#liveness.look(performance.now(), this.#paused, this.#tcp?.bytesRead ?? 0)) {
      case 'dead':
        this.cut(`nothing received for ${Math.round(this.#liveness.silentMs / 1000)} s`, { hint: HALF_OPEN })
        break
      case 'probe':
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
        break
      case 'alive':
    }
  }

  #linkFor(owner: OwnerLink): SessionLink {
    const { router, complaints, exchange, clock } = this.#deps
    const { conn } = this
    return {
      ...owner,
      conn,
      send: (text, recorded = text) => {
        if (this.#socket.readyState !== WebSocket.OPEN) return
        router.take('sent', this.#counters.sent, this.#stamps.nowUs(), Buffer.from(recorded))
        this.#socket.send(text)
      },
      ping: () => {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
      },
      journal: <Name extends EventOfConn>(event: Name, facts: Omit<FactsOf<Name>, 'conn'>) => {
        if (event === 'book_break') this.#counters.flows.brokeUs = clock.nowUs()
        router.journal(event, { conn, ...facts } as FactsOf<Name>)
      },
      subscribed: (channels, facts) => {
        router.journal('subscribed', { conn, channels, ...facts })
        const families = new Set(channels.map(channel => exchange.familyOfChannel(channel)))
        for (const family of families) this.#counters.flows.of(family).subscribed(clock.nowUs())
      },
      complain: complaint => complaints.report({ ...complaint, facts: { conn, ...complaint.facts } } as Complaint),
      nowUs: () => this.#stamps.nowUs(),
      limited: () => (this.#patience = 'limited'),
      fail: cause => this.cut(cause),
    }
  }
}

const NO_HANDSHAKE =
  'something accepts connections there and says nothing: the exchange is overloaded, or it is no exchange'
const HALF_OPEN = 'the exchange, or the network in between, went silent'
