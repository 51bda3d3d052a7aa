import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { clip, type Span } from '../platform/spans.js'
import type { Adapter } from '../exchanges/adapter.js'
import type { Connection } from './connection/connection.js'
import type { Pause } from './connection/family-flow.js'
import { PAUSE_US } from './connection/rhythm.js'
import type { OutageAccount } from './connection/outage-account.js'
import type { OutageLedger } from './connection/outage-ledger.js'
import type { ReceiveClock } from './receive-clock.js'
import { RestingFamilies, SKEW_US, JOURNAL_AGAIN_MS } from './resting-families.js'

/** Channels of a silent family are taken anew after this, and after twice the time if that did not help. */
const REVIVE_MS = 60_000
const REVIVE_MS_MAX = 3_600_000
/** What was missed is asked for no sooner than this after it was asked for last. */
const ASK_AGAIN_MS = 60_000
/** A family that flowed for so long is well again. */
const REVIVED_MS = 300_000
/** Without a connection to compare with, a rest must be so many times as long as one that is out of rhythm. */
const TIMES_WITHOUT_OTHER = 1.5
/** A connection is taken for one that brings nothing, by its rhythm and by what others bring, after this at least. */
const BESIDE_US_MIN = 10_000_000
/** How soon behind a pause a book shows that it lacks changes. */
const BREAKS_WITHIN_US = 5_000_000
/** More than this between two looks: we stood still ourselves. */
const LOOK_MS_MAX = 5000
/** After that, or after a pause in reading, what waited is read first. */
const DEAF_MS = 2000
/** What one connection brought is waited for on the other one for so long. */
const LAG_MS = 3000

const NEVER_RESTS = 'silent, though the family never rests'

/** What is remembered of one family on one connection. */
interface Watched {
  /** Since when (monotonic) the other connection has brought what this one has not since its last frame. */
  behind: { lastUs: number; sinceMs: number } | undefined
  /** When the last silence ended; monotonic. */
  endedMs: number
  /** Since when nothing of it is subscribed; monotonic. */
  goneSinceMs: number | undefined
  journalledMs: number
  reviveMs: number
  reviveDueMs: number
  /** How often its channels were taken anew since it fell silent. */
  revived: number
  /** Pauses that ended a moment ago, and that more may be known of soon. */
  doubtful: Doubtful[]
  /** Since when it was silent last; what lasts is journalled in pieces. */
  sinceUs: number
}

/** A pause that may have been a loss of all that came on the connection. */
interface Doubtful {
  fromUs: number
  toUs: number
  /** When frames came again. */
  endedUs: number
  /** How long the family had rested before at most. */
  longestUs: number
}

export interface SilenceDeps {
  exchange: Pick<Adapter, 'silenceLimits' | 'familyOfChannel' | 'madeMs'>
  clock: Pick<ReceiveClock, 'nowUs'>
  ledger: Pick<OutageLedger, 'partnersOf' | 'learn'>
  log: Logger
}

type WatchedConnection = Pick<Connection, 'name' | 'state' | 'channels' | 'session' | 'account' | 'isPaused' | 'renew'>

/**
 * Finds families that a connection does not bring although it lives: by the longest rest that the exchange's families take,
 * by what the other connection of its group brought meanwhile, and, while that one is down, by how densely the family came
 * before. The hot path knows nothing of it: once a second the flows are looked at. The ledger writes the silence down, and
 * the family's channels are taken anew on this connection alone.
 */
export class SilenceWatch {
  readonly #deps: SilenceDeps
  readonly #connections: readonly WatchedConnection[]
  /** By connection and family. */
  readonly #watched = new Map<string, Watched>()
  /** Since when the exchange is still to be asked for what was missed, and not before when. */
  readonly #owed = new Map<OutageAccount, { sinceUs: number; dueMs: number }>()
  readonly #resting = new RestingFamilies()
  readonly #limits = new Map<OutageAccount, { of: ReadonlySet<string>; limits: ReadonlyMap<string, number> }>()
  #lookedMs: number | undefined
  /** Until then nobody's silence counts: we did not listen. */
  readonly #deafUntilMs = new Map<OutageAccount, number>()

  constructor(deps: SilenceDeps, connections: readonly WatchedConnection[]) {
    this.#deps = deps
    this.#connections = connections
  }

  /** To be called about once a second, before the ledger settles. @param nowMs monotonic */
  look(nowMs: number): void {
    const stoodStill = this.#lookedMs === undefined || nowMs - this.#lookedMs > LOOK_MS_MAX
    this.#lookedMs = nowMs
    for (const connection of this.#connections) {
      const { account } = connection
      if (stoodStill || connection.isPaused) this.#deafUntilMs.set(account, nowMs + DEAF_MS)
      if (connection.state === 'live' && account.isUp) this.#lookAt(connection, nowMs)
    }
    this.#deps.ledger.learn()
  }

  #lookAt(connection: WatchedConnection, nowMs: number): void {
    const { account } = connection
    const nowUs = this.#deps.clock.nowUs()
    const { families } = account
    const limits = this.#limitsOf(account)
    const isDeaf = nowMs < (this.#deafUntilMs.get(account) ?? 0)
    for (const family of account.silentFamilies) {
      const watched = this.#watchedOf(account, family)
      if (families.has(family)) watched.goneSinceMs = undefined
      else if (watched.goneSinceMs === undefined) watched.goneSinceMs = nowMs
      // While its channels are taken anew it is not subscribed for a moment.
      else if (nowMs - watched.goneSinceMs > REVIVE_MS) this.#end(account, family, nowUs, nowMs)
    }
    const resumedUs = this.#resting.resumedUs(account)
    let missedUs = Infinity
    for (const family of families) {
      const sinceUs = this.#lookBack(account, family, { nowMs, nowUs, isDeaf, neverRests: limits.has(family) })
      missedUs = Math.min(missedUs, sinceUs)
      if (this.#resting.isSilent(account, family)) continue
      if (account.isSilent(family)) this.#goOn(connection, family, nowMs, nowUs)
      else if (!isDeaf) this.#judge(connection, family, { nowMs, nowUs, limitMs: limits.get(family) })
    }
    const { ended, sinceUs } = this.#resting.look(account, this.#neverRest(account), { resumedUs, nowMs, nowUs })
    for (const family of ended) this.#noteEnd(account, family, nowMs)
    this.#askFor(connection, Math.min(missedUs, sinceUs), nowMs)
  }

  /** Families that come all the time: known to, or by their rhythm where none on the connection is known to. */
  #neverRest(account: OutageAccount): string[] {
    const limits = this.#limitsOf(account)
    const isDense = (family: string) => {
      const { isKnown, rhythm } = account.flows.of(family)
      return isKnown && rhythm.isDense
    }
    return [...account.families].filter(family => (limits.size > 0 ? limits.has(family) : isDense(family)))
  }

  #askFor({ name, channels, session, account }: WatchedConnection, missedUs: number, nowMs: number): void {
    const { sinceUs: owedUs, dueMs } = this.#owed.get(account) ?? { sinceUs: Infinity, dueMs: -Infinity }
    const sinceUs = Math.min(owedUs, missedUs)
    if (sinceUs === Infinity) return
    const isDue = nowMs >= dueMs
    this.#owed.set(account, isDue ? { sinceUs: Infinity, dueMs: nowMs + ASK_AGAIN_MS } : { sinceUs, dueMs })
    if (!isDue) return
    session
      ?.missed?.([...channels], sinceUs)
      .catch((error: unknown) =>
        this.#deps.log.warn({ conn: name, err: messageOf(error) }, 'not asked for what was missed'),
      )
  }

  /**
   * Pauses that ended since the last look: the end of a silence, or one that was over before it was noticed.
   * @returns since when what may rest may have been missed, too; Infinity where nothing says so
   */
  #lookBack(
    account: OutageAccount,
    family: string,
    { nowMs, nowUs, isDeaf, neverRests }: { nowMs: number; nowUs: number; isDeaf: boolean; neverRests: boolean },
  ): number {
    const flow = account.flows.of(family)
    const watched = this.#watchedOf(account, family)
    const { limitUs, longestUs } = flow.rhythm
    const pauses = flow.takePauses()
    const silence = account.silenceOf(family)
    if (silence) {
      if (this.#resting.isSilent(account, family) || flow.lastUs <= silence.fromUs) return Infinity
      const pause = pauses.find(({ toUs }) => toUs > silence.fromUs)
      const resumedUs = pause ? this.#resumedUs(pause) : flow.lastUs
      // Next to nothing: all of it was made in time, and came late.
      this.#end(account, family, resumedUs - silence.fromUs < PAUSE_US ? silence.fromUs : resumedUs, nowMs)
      const isAlone = this.#deps.ledger.partnersOf(account).length === 0
      return isAlone && !neverRests ? watched.sinceUs : Infinity
    }
    if (limitUs === undefined || isDeaf) {
      watched.doubtful = []
      return Infinity
    }
    for (const pause of pauses) {
      const fromUs = Math.max(pause.fromUs, account.upUs)
      const toUs = this.#resumedUs(pause)
      if (toUs - fromUs <= limitUs) continue
      if (this.#isAlone(account, family, { fromUs, toUs })) {
        account.silent(family, fromUs, OUT_OF_RHYTHM)
        account.heardAgain(family, toUs)
      } else if (neverRests && flow.isKnown && toUs - fromUs > TIMES_WITHOUT_OTHER * limitUs)
        watched.doubtful.push({ fromUs, toUs, endedUs: pause.toUs, longestUs })
    }
    // A book that lacks a change shows it with its own next frame: then all else of that time was lost, too.
    const isBroken = ({ endedUs }: Doubtful) => Math.abs(account.flows.brokeUs - endedUs) <= BREAKS_WITHIN_US
    const broken = watched.doubtful.filter(isBroken)
    for (const { fromUs, toUs, longestUs } of broken) {
      account.silent(family, fromUs, BROKEN)
      account.heardAgain(family, toUs)
      flow.rhythm.forget(longestUs)
    }
    watched.doubtful = watched.doubtful.filter(one => !isBroken(one) && nowUs - one.endedUs <= BREAKS_WITHIN_US)
    return Math.min(...broken.map(({ fromUs }) => fromUs))
  }

  #judge(
    connection: WatchedConnection,
    family: string,
    { nowMs, nowUs, limitMs }: { nowMs: number; nowUs: number; limitMs: number | undefined },
  ): void {
    const { account } = connection
    const { lastUs, rhythm } = account.flows.of(family)
    const fromUs = Math.max(lastUs, account.upUs)
    const watched = this.#watchedOf(account, family)
    const other = this.#deps.ledger.partnersOf(account).find(({ flows }) => flows.of(family).ownUs - fromUs > SKEW_US)
    if (!other) watched.behind = undefined
    else if (watched.behind?.lastUs !== fromUs) watched.behind = { lastUs: fromUs, sinceMs: nowMs }
    const isBehind = watched.behind !== undefined && nowMs - watched.behind.sinceMs >= LAG_MS
    const neverRests = limitMs !== undefined && nowUs - fromUs >= limitMs * 1000
    const isOutOfRhythm =
      rhythm.limitUs !== undefined &&
      nowUs - fromUs > rhythm.limitUs &&
      this.#isAlone(account, family, { fromUs, toUs: nowUs })
    // Without another connection that says so, families that go on show that it is no halt of the exchange.
    const sinceUs = fromUs + TIMES_WITHOUT_OTHER * (rhythm.limitUs ?? Infinity)
    const lacks =
      account.flows.of(family).isKnown &&
      nowUs > sinceUs &&
      (limitMs === undefined
        ? this.#isMuteBesideOthers(account, family, { fromUs, toUs: nowUs })
        : [...account.families].some(one => one !== family && account.flows.of(one).lastUs > sinceUs))
    if (!isBehind && !neverRests && !isOutOfRhythm && !lacks) return
    const cause = neverRests
      ? NEVER_RESTS
      : isBehind
        ? `silent while ${other?.options.conn ?? ''} brought frames`
        : isOutOfRhythm
          ? OUT_OF_RHYTHM
          : LACKS
    account.silent(family, fromUs, cause)
    const seconds = Math.round((nowUs - fromUs) / 1e6)
    this.#deps.log.warn(
      { conn: connection.name, family, seconds, cause },
      'a family fell silent on a connection that lives',
    )
    Object.assign(watched, { sinceUs: fromUs, journalledMs: neverRests ? -Infinity : nowMs })
    // One that falls silent again and again is not taken anew each time.
    if (nowMs - watched.endedMs > REVIVED_MS)
      Object.assign(watched, { reviveMs: REVIVE_MS, reviveDueMs: nowMs, revived: 0 })
    this.#goOn(connection, family, nowMs, nowUs)
  }

  #goOn(connection: WatchedConnection, family: string, nowMs: number, nowUs: number): void {
    const { account } = connection
    const watched = this.#watchedOf(account, family)
    this.#journalAgain(account, family, nowMs, nowUs)
    if (nowMs >= watched.reviveDueMs) this.#revive(connection, family, watched, nowMs)
  }

  #journalAgain(account: OutageAccount, family: string, nowMs: number, nowUs: number): void {
    const watched = this.#watchedOf(account, family)
    if (nowMs - watched.journalledMs < JOURNAL_AGAIN_MS) return
    watched.journalledMs = nowMs
    account.splitSilence(family, nowUs)
  }

  #end(account: OutageAccount, family: string, atUs: number, nowMs: number): void {
    account.heardAgain(family, atUs)
    this.#noteEnd(account, family, nowMs)
  }

  #noteEnd(account: OutageAccount, family: string, nowMs: number): void {
    this.#watchedOf(account, family).endedMs = nowMs
    this.#deps.log.info({ conn: account.options.conn, family }, 'the silence is over')
  }

  /**
   * Nothing at all comes on a connection of which nothing is known to never rest, though a family of it came densely, and
   * other connections go on.
   */
  #isMuteBesideOthers(account: OutageAccount, family: string, { fromUs, toUs }: Span): boolean {
    const { families, flows } = account
    if (!flows.of(family).rhythm.isDense || this.#limitsOf(account).size > 0) return false
    if (toUs - fromUs < BESIDE_US_MIN || flows.lastUsOf(families) - fromUs > SKEW_US) return false
    const others = this.#connections.map(other => other.account).filter(other => other !== account && other.isUp)
    return others.some(other => other.flows.lastUsOf(other.families) > toUs - SKEW_US)
  }

  /** No other connection was there all the time to say that nothing was sent. */
  #isAlone(account: OutageAccount, family: string, span: Span): boolean {
    return this.#deps.ledger.partnersOf(account).some(partner => clip([...partner.downsOf(family)], span).length > 0)
  }

  /**
   * When a family flowed again. Where the exchange says of both frames when it made them, a connection that only stood
   * still shows as such: what comes then was made at once after what came before.
   */
  #resumedUs({ fromUs, toUs, before, after, isAnswer }: Pause): number {
    const { madeMs } = this.#deps.exchange
    const [beforeMs, afterMs] = [before && madeMs?.(before.frame), madeMs?.(after)]
    if (isAnswer || before === undefined || beforeMs === undefined || afterMs === undefined) return toUs
    const inTimeUs = before.recvUs + (afterMs - beforeMs) * 1000
    return inTimeUs > fromUs ? Math.min(toUs, inTimeUs) : toUs
  }

  #revive(connection: WatchedConnection, family: string, watched: Watched, nowMs: number): void {
    watched.reviveDueMs = nowMs + watched.reviveMs
    watched.reviveMs = Math.min(REVIVE_MS_MAX, watched.reviveMs * 2)
    watched.revived++
    const { exchange, log } = this.#deps
    const { name, channels, session, account } = connection
    // What the other one brings the exchange does send: it is this connection that is ill.
    if (watched.revived > 1 && watched.behind !== undefined && account.isSilent(family)) {
      void connection.renew(`silent in ${family}`)
      return
    }
    const own = [...channels].filter(channel => exchange.familyOfChannel(channel) === family)
    if (own.length === 0) return
    session
      ?.resubscribe?.(own, 'silent')
      .catch((error: unknown) => log.warn({ conn: name, family, err: messageOf(error) }, 'not resubscribed'))
  }

  #limitsOf(account: OutageAccount): ReadonlyMap<string, number> {
    const { families, channels } = account
    const known = this.#limits.get(account)
    if (known?.of === families) return known.limits
    const limits = this.#deps.exchange.silenceLimits?.(channels) ?? new Map<string, number>()
    this.#limits.set(account, { of: families, limits })
    return limits
  }

  #watchedOf(account: OutageAccount, family: string): Watched {
    const key = keyOf(account, family)
    const known = this.#watched.get(key)
    if (known) return known
    const watched = {
      behind: undefined,
      goneSinceMs: undefined,
      endedMs: -Infinity,
      journalledMs: 0,
      reviveMs: REVIVE_MS,
      reviveDueMs: 0,
      revived: 0,
      doubtful: [],
      sinceUs: Infinity,
    }
    this.#watched.set(key, watched)
    return watched
  }
}

const BROKEN = 'silent, and a book lacks changes of the time'
const LACKS = 'silent, while other data came'
const OUT_OF_RHYTHM = 'silent for longer than the family ever rests'

const keyOf = ({ options }: OutageAccount, family: string) => `${options.conn} ${family}`
