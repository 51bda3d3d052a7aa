import type { Clock } from '../platform/clock.js'
import type { Channels, Grammar } from './broker.js'
import type { ExchangeClock } from './clock.js'
import type { Connection, Conversation } from './connection.js'
import type { Faults } from './faults.js'
import type { ListingPlan } from './market/listing-plan.js'
import type { Market, RecordedListings } from './market/market.js'

/** What a simulated exchange is, besides the market that all share: what it lists, and how it speaks of it. */
export interface Protocol extends Grammar {
  readonly plan: ListingPlan
  /** Reads from the frames of a recording what they are about. */
  scanner(): RecordingScanner
  /** Begins to answer; called once. */
  serve(venue: Venue): Service
}

/** Takes all frames of a recording before it is played. */
export interface RecordingScanner {
  look(frame: string): void
  /** What the frames named; `createdMs` is the age that nobody knows. */
  listings(createdMs: number): RecordedListings
}

/** What a protocol speaks of. */
export interface Venue {
  market: Market
  channels: Channels
  /** The exchange's clock. */
  clock: ExchangeClock
  /** The clock of the world, in which limits are counted. */
  real: Clock
  faults: Faults
  /** A recording is played: its frames are all that channels bring, and whoever logs in is let in. */
  isRecorded: boolean
  /** Called after a connection's subscription was answered. */
  subscribed(connection: Connection): void
}

/** Why a client is turned away before it is answered. */
export type TurnedAway = 'too many connections' | 'maintenance'

/** A protocol at work: answers what clients send. */
export interface Service {
  /** Where WebSockets are taken, that of market data first: `/ws/api/v2`. */
  readonly webSocketPaths: readonly string[]
  /** Where the HTTP methods are: `/api/v2`. */
  readonly httpPath: string
  /** Whether an address may make one more connection now; not every exchange limits that. */
  admits?(ip: string): boolean
  /** A client connected. */
  connected(connection: Connection, path: string): Conversation
  answerHttp(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>
  /** The body of an HTTP answer to one who is turned away. */
  turnAway(reason: TurnedAway): string
  /** Says to connections that they will be ended soon; not every exchange does. */
  warn?(connections: readonly Connection[]): void
  /** Says farewell to all connections, and ends them. */
  maintain(connections: readonly Connection[]): void
}

export interface HttpRequest {
  method: string
  /** Below the service's path, without a slash before it: `public/get_time`. */
  path: string
  query: Readonly<Record<string, string>>
  /** Cut at a bound far above what an exchange takes. */
  body: Buffer
  /** Address of the client. */
  ip: string
}

export interface HttpAnswer {
  status: number
  /** JSON. */
  text: string
}
