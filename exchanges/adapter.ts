/** What an exchange must answer so that the connection loop, shared by all, can record it. */

import type { EventName, FactsOf, WriteEvent, WriteEventOfConn } from '../formats/journal/events.js'
import type { Partition } from '../formats/partition.js'
import type { Shown } from './shown.js'

/** A login at the exchange; what is public needs none. */
export interface Credentials {
  clientId: string
  clientSecret: string
}

/** How many connections channels are spread over, and how often is looked for new ones. */
export interface Spread {
  /** Channels on one connection; more are spread over further ones. */
  channelsPerConnection: number
  /** Connections at once to one endpoint; beyond it each takes more channels. */
  connectionsMax: number
  /** 2: every channel on two connections. */
  redundancy: number
  /** New connections in a second, where the exchange limits them. */
  dialsPerSecond?: number
  /** Time between two calls of `discover`, ms. */
  rediscoverMs: number
}

/** Something that went wrong and may go wrong again in the same way, many times. */
export type Complaint = ComplaintOf<
  'connected' | 'connect_failed' | 'disconnected' | 'discovery_failed' | 'error' | 'odd_frame'
>
type ComplaintOf<Name extends EventName> = Name extends EventName
  ? Words & { event: Name; facts?: Partial<FactsOf<Name>> }
  : never

interface Words {
  message: string
  level?: 'info' | 'warn' | 'error'
  /** What the person at the keyboard may do. */
  hint?: string | undefined
}

/** After how much silence a connection is asked for a sign of life, and after how much it is taken for dead. */
export interface LivenessLimits {
  /** A ping is sent after this silence, and its pong counts as life; undefined: only frames count. */
  probeAfterMs: number | undefined
  deadAfterMs: number
}

/** Which connections the exchange is going to end. */
export type Ends = 'all' | 'this'

/** One open connection, as an exchange's session sees it. */
export interface SessionLink {
  /** Name of the connection, e.g. `d1`. */
  readonly conn: string
  /** Sends text; what is recorded as sent is `recorded`, where the text itself holds a secret. */
  send(text: string, recorded?: string): void
  /** Sends a ping of the WebSocket protocol. */
  ping(): void
  /** Writes an event to the journal; the connection's name is added. */
  journal: WriteEventOfConn
  /** The exchange said that it sends these; what comes right after may be their first frames. Stands in the journal. */
  subscribed(channels: readonly string[], facts?: Pick<FactsOf<'subscribed'>, 'reason'>): void
  /** The receive clock, µs since the epoch. */
  nowUs(): number
  /** Something that may go wrong again in the same way: reported once, then counted. The connection's name is added. */
  complain(complaint: Complaint): void
  /** The exchange says that we ask for too much: after this connection the next one waits longer. */
  limited(): void
  /** The exchange announced that it will end connections soon: all of them, or this one. Default all. */
  maintenance(facts: FactsOf<'maintenance'>, ends?: Ends): void
  /** How far the exchange's clock is ahead of ours, and how long question and answer were under way, µs. */
  measured(offsetUs: number, roundTripUs: number): void
  /** Ends the connection; the loop opens a new one. */
  fail(cause: string): void
}

/** Under which family a frame is kept, and what is kept where the frame itself holds a secret. */
export interface Filed {
  family: string
  recorded?: Buffer
}

/** The life of one connection from open to close. */
export interface ExchangeSession {
  /** Logs in, asks for heartbeats, subscribes. Resolves when everything asked for was answered. */
  start(): Promise<void>
  /**
   * The family of a data frame, found in its bytes without parsing them; undefined for anything else. Sees every frame
   * of the connection, in order and before it is stored, and may check its place in a sequence; must not throw for any
   * input.
   * @param frame its memory is filled anew once this returns: what is kept of it is copied
   * @param recvUs the frame's receive stamp
   * @param isBinary whether it came as a binary message
   */
  data(frame: Buffer, recvUs: number, isBinary: boolean): string | undefined
  /**
   * Takes a frame that the hot path did not recognise as data: an answer, a heartbeat, an error. Called after the frame
   * was stamped, before it is stored; must not throw for any input.
   * @param frame as for `data`
   */
  control(frame: Buffer, isBinary: boolean): Filed
  /**
   * The channel that a frame names which is not whole: nothing else in it is to be believed, and `data` is not asked.
   */
  channelOfPiece?(frame: Buffer): string | undefined
  /** The set of channels changed while the connection is up. */
  update(): Promise<void>
  /** Takes channels anew, where that is possible: others flow on. */
  resubscribe?(channels: readonly string[], reason: string): Promise<void>
  /**
   * Nothing came from then on until just now, though the connection lived, and some of these show by no later frame what was
   * missed: asks the exchange for what it lists of that time.
   */
  missed?(channels: readonly string[], sinceUs: number): Promise<void>
  /** Channels that the exchange said it would send; where its word proves nothing, those of which a frame came. */
  readonly channels: ReadonlySet<string>
  /** The connection is gone: answers still awaited will not come. */
  closed(): void
}

/** A channel to record and how many frames a second it is expected to bring, roughly: connections are balanced by it. */
export type ChannelPlan = ReadonlyMap<string, number>

/** What is to be taken now, and which instruments that changed; `added` is empty the first time. */
export interface PlanChange {
  plan: ChannelPlan
  added: readonly string[]
  removed: readonly { instruments: readonly string[]; reason: string }[]
  /** Of `added`: what was given up though it never ended, or was listed unheard, and for how long it was not recorded. */
  returned?: readonly { instrument: string; awayMs: number; cause?: string }[]
  /** All that is listed and asked for, and that cannot be had. */
  notOffered?: readonly NotOffered[]
}

/** What is listed and cannot be recorded, by name. */
export interface NotOffered {
  channels?: readonly string[]
  /** What has not even channels, as far as it is named. */
  instruments?: readonly string[]
  reason: string
}

/** How far each poll was answered, ms since the epoch; kept over restarts. */
export interface PollRecord {
  /** Takes up what earlier runs kept; to be called first. It lasts as long as the disk takes. */
  load(): Promise<void>
  answeredMs(id: string): number | undefined
  note(id: string, answeredMs: number): void
  keepOnly(ids: ReadonlySet<string>): void
  /** To be called often, and not to be waited for. */
  save(): Promise<void>
}

/** A piece of what earlier runs recorded. */
export interface EarlierSegment {
  /** Compressed size. */
  bytes: number
  /** When it was begun, µs since the epoch. */
  startedUs: number
  /** Its whole lines, in pieces between which a reader can let other work run. */
  lines: AsyncIterable<Buffer[]>
}

/** What an exchange may do for the recording beside its connections. */
export interface Recording {
  /** Records a frame that came on no connection, under a name for where it came from. */
  take(conn: string, family: string, frame: Buffer): void
  journal: WriteEvent
  /** The receive clock, µs since the epoch. */
  nowUs(): number
  /** What earlier runs recorded of a family and is still on disk, newest first; read only as far as asked, until aborted. */
  earlier(family: string, signal: AbortSignal): AsyncIterable<EarlierSegment>
  polled: PollRecord
}

/** When frames of a channel came, on whichever connection; µs since the epoch. */
export interface HeardChannel {
  /** -Infinity where none came yet. */
  lastUs: number
  frames: number
  /** The longest pause since somebody last set it to 0, and when it began. */
  pauseUs: number
  pausedUs: number
}

export interface Adapter {
  readonly name: string
  readonly url: string
  /** The WebSocket that carries a channel, where an exchange has several; without it `url` carries all of them. */
  endpointOf?(channel: string): string
  readonly liveness: LivenessLimits
  readonly spread: Spread
  /** It is one feed: nothing is subscribed by channel, and each frame is data, whether or not it names its channel. */
  readonly comesWhole?: boolean
  /** Its binary messages are compressed text, which its session reads; elsewhere binary messages are odd. */
  readonly isCompressed?: boolean
  /** Families in which bare text is usual, such as a keep-alive; elsewhere what is no JSON is odd. */
  readonly textIn?: readonly string[]
  /** No frame that the exchange is known to send is larger. */
  readonly ordinaryBytesMax: number
  /** When a channel was last heard; undefined of one that rests now and then, and where the exchange's folder does not say. */
  heardOf?(channel: string): HeardChannel | undefined
  /** Families of which frames come all the time where these channels are subscribed, and the longest silence, ms. */
  silenceLimits?(channels: Iterable<string>): ReadonlyMap<string, number>
  /**
   * Kind and currency of the instrument that a data frame is about, of a bounded set whatever the wire says; undefined
   * where it is about none. Not every exchange shows it. The family may say what the frame leaves out.
   */
  partitionOf?(frame: Buffer, family: string): Partition | undefined
  /** The family of a channel by its name; `other` for one that is not known. */
  familyOfChannel(channel: string): string
  /** When the exchange says it made what a pushed frame brings, ms since the epoch; undefined where it says nothing. */
  madeMs?(frame: Buffer): number | undefined
  /** Of what the last frames are shown to people, as far as it is recorded; few. `priceOf`: the last price of one of them. */
  shown?(priceOf: (name: string) => number | undefined, nowMs: number): readonly Shown[]
  /**
   * Asks the exchange what there is and decides what to take. Every answer is given to `take` as it came, to be recorded.
   * @throws EdgeError HTTP_CALL_FAILED, RPC_REFUSED
   */
  discover(take: (family: string, answer: Buffer) => void, signal: AbortSignal): Promise<PlanChange>
  /**
   * What frames said since the last question about instruments that come and go; asked about once a second.
   * `discover`: the exchange named something that only `discover` can resolve.
   */
  news(): PlanChange | 'discover' | undefined
  /**
   * Works beside the connections until `signal` aborts: asks for what only methods give, for what is missing, and for what
   * sessions need from elsewhere, such as the book that changes begin with. Must not reject.
   */
  attend?(recording: Recording, signal: AbortSignal): Promise<void>
  /** A session for a connection that was just opened. `wanted` is asked whenever channels are to be subscribed. */
  openSession(link: SessionLink, wanted: () => ReadonlySet<string>): ExchangeSession
}
