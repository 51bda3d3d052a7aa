import type { Adapter, HeardChannel } from '../exchanges/adapter.js'
import type { Logger } from '../platform/log.js'
import { messageOf } from '../platform/edge-error.js'
import type { Connection } from './connection/connection.js'
import type { ReceiveClock } from './receive-clock.js'
import type { FrameRouter } from './frame-router.js'

/** A rest is out of a channel's rhythm from here on, µs, and where it is so many times as long as any of late. */
const LIMIT_US_MIN = 5_000_000
const TIMES_LONGEST = 5
/** Before so many frames over so long nothing is known of a channel. */
const KNOWN_AFTER_FRAMES = 50
const KNOWN_AFTER_US = 15_000_000
/** Until it was heard for so long, its rests are hardly known. */
const WELL_KNOWN_AFTER_US = 60_000_000
const UNKNOWN_LIMIT_US_MIN = 10_000_000
const LATELY_US = 1_800_000_000
/** More than this between two looks: we stood still ourselves. */
const LOOK_US_MAX = 5_000_000
/** After that what waited is read first. */
const DEAF_US = 2_000_000
/** While a silence lasts it is written down again after this, so that a crash leaves little unsaid. */
const JOURNAL_AGAIN_US = 60_000_000

interface Watched {
  heard: HeardChannel
  sinceUs: number
  longestUs: number
  longestBeforeUs: number
  countingSinceUs: number
  /** Since when it is silent, as far as that is not in the journal yet. */
  silentUs: number | undefined
  /** Connections that were to bring it, by name. */
  conns: readonly string[]
}

type Carrier = Pick<Connection, 'name' | 'state' | 'channels' | 'session' | 'account' | 'isPaused'>

export interface ChannelWatchDeps {
  exchange: Pick<Adapter, 'heardOf' | 'familyOfChannel'>
  clock: Pick<ReceiveClock, 'nowUs'>
  router: Pick<FrameRouter, 'journal'>
  log: Logger
}

/**
 * Finds single channels that fall silent while all else of the connection flows: those of which frames come all the time,
 * such as quotes of the instrument that trades most. No connection brings them then; that one of two does not, is covered.
 */
export class ChannelWatch {
  readonly #deps: ChannelWatchDeps
  readonly #connections: readonly Carrier[]
  readonly #watched = new Map<string, Watched>()
  #lookedUs: number | undefined
  #deafUntilUs = -Infinity

  constructor(deps: ChannelWatchDeps, connections: readonly Carrier[]) {
    this.#deps = deps
    this.#connections = connections
  }

  /** To be called about once a second. */
  look(): void {
    if (!this.#deps.exchange.heardOf) return
    const nowUs = this.#deps.clock.nowUs()
    const sinceUs = nowUs - (this.#lookedUs ?? -Infinity)
    if (sinceUs > LOOK_US_MAX || sinceUs < 0 || this.#connections.some(({ isPaused }) => isPaused))
      this.#deafUntilUs = nowUs + DEAF_US
    this.#lookedUs = nowUs
    const carriers = this.#carriers()
    for (const [channel, own] of carriers) this.#lookAt(channel, own, nowUs)
    // Where no connection carries it any more, whatever ended them journals the rest.
    for (const [channel, watched] of this.#watched) if (!carriers.has(channel)) this.#end(channel, watched, nowUs)
  }

  /** What lasts at the end is journalled up to then. */
  close(): void {
    for (const [channel, watched] of this.#watched) this.#end(channel, watched, this.#deps.clock.nowUs())
  }

  /** The clock was set. */
  shift(): void {
    this.#watched.clear()
  }

  #carriers(): Map<string, Carrier[]> {
    const carriers = new Map<string, Carrier[]>()
    for (const connection of this.#connections) {
      if (connection.state !== 'live' || !connection.account.isUp) continue
      for (const channel of connection.channels) {
        const heard = this.#watched.get(channel)?.heard ?? this.#deps.exchange.heardOf?.(channel)
        if (!heard) continue
        const own = carriers.get(channel)
        if (own) own.push(connection)
        else carriers.set(channel, [connection])
      }
    }
    return carriers
  }

  #lookAt(channel: string, carriers: readonly Carrier[], nowUs: number): void {
    const watched = this.#watchedOf(channel)
    if (!watched) return
    const { heard } = watched
    const pause = { fromUs: heard.pausedUs, toUs: heard.pausedUs + heard.pauseUs }
    heard.pauseUs = 0
    if (watched.silentUs !== undefined) {
      if (heard.lastUs > watched.silentUs) {
        this.#end(channel, watched, pause.fromUs <= watched.silentUs ? pause.toUs : heard.lastUs)
      } else if (nowUs - watched.silentUs > JOURNAL_AGAIN_US) {
        this.#end(channel, watched, nowUs)
        watched.silentUs = nowUs
      }
      return
    }
    const family = this.#deps.exchange.familyOfChannel(channel)
    const upUs = Math.min(...carriers.map(({ account }) => account.upUs))
    const fromUs = Math.max(heard.lastUs, upUs)
    const limitUs = limitOf(watched)
    if (nowUs < this.#deafUntilUs || carriers.some(({ account }) => account.isSilent(family))) return
    if (pause.fromUs >= upUs && pause.toUs - pause.fromUs <= limitUs) learn(watched, pause.toUs - pause.fromUs, nowUs)
    // Other frames of the same connection show that it is this channel that lacks, and no halt of the exchange.
    const flowsOn = carriers.some(({ account }) => account.flows.lastUsOf(account.families) > fromUs + limitUs)
    if (nowUs - fromUs <= limitUs || !flowsOn) return
    watched.silentUs = fromUs
    watched.conns = carriers.map(({ name }) => name)
    this.#deps.log.warn({ channel, seconds: Math.round((nowUs - fromUs) / 1e6) }, 'a channel fell silent')
    for (const { session } of carriers)
      session
        ?.resubscribe?.([channel], 'silent')
        .catch((error: unknown) => this.#deps.log.warn({ channel, err: messageOf(error) }, 'not resubscribed'))
  }

  /** A silence is over, or journalled so far. */
  #end(channel: string, watched: Watched, toUs: number): void {
    const { silentUs, conns } = watched
    watched.silentUs = undefined
    const [conn, ...also] = conns
    if (conn === undefined || silentUs === undefined || toUs <= silentUs) return
    const family = this.#deps.exchange.familyOfChannel(channel)
    const facts = { conn, family, channels: [channel], from_us: silentUs, to_us: toUs, cause: CAUSE }
    this.#deps.router.journal('silent', { ...facts, ...(also.length > 0 && { also }) })
  }

  #watchedOf(channel: string): Watched | undefined {
    const known = this.#watched.get(channel)
    if (known) return known
    const heard = this.#deps.exchange.heardOf?.(channel)
    if (!heard || heard.lastUs === -Infinity) return undefined
    const { lastUs } = heard
    const counts = { sinceUs: lastUs, longestUs: 0, longestBeforeUs: 0, countingSinceUs: lastUs }
    const watched = { heard, ...counts, silentUs: undefined, conns: [] }
    this.#watched.set(channel, watched)
    return watched
  }
}

const CAUSE = 'silent, while all else came'

function limitOf({ heard, sinceUs, longestUs, longestBeforeUs }: Watched): number {
  const knownUs = heard.lastUs - sinceUs
  if (heard.frames < KNOWN_AFTER_FRAMES || knownUs < KNOWN_AFTER_US) return Infinity
  const leastUs = knownUs < WELL_KNOWN_AFTER_US ? UNKNOWN_LIMIT_US_MIN : LIMIT_US_MIN
  return Math.max(leastUs, TIMES_LONGEST * Math.max(longestUs, longestBeforeUs))
}

function learn(watched: Watched, pauseUs: number, nowUs: number): void {
  if (nowUs - watched.countingSinceUs > LATELY_US) {
    watched.longestBeforeUs = watched.longestUs
    watched.longestUs = 0
    watched.countingSinceUs = nowUs
  }
  watched.longestUs = Math.max(watched.longestUs, pauseUs)
}
