import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import type { Connection } from './connection/connection.js'
import type { Adapter } from '../exchanges/adapter.js'
import type { ReceiveClock } from './receive-clock.js'
import type { Tape } from './tape.js'

/** While a silence lasts, it is written down again after this, so that a crash leaves little unsaid. */
const TOLD_AGAIN_MS = 60_000
/** Channels of a silent family are taken anew after this, and after twice the time if that did not help. */
const REVIVE_MS = 60_000
const REVIVE_MS_MAX = 3_600_000
/** More than this between two looks: we stood still ourselves. */
const LOOK_MS_MAX = 5000

interface Heard {
  frames: number
  /** When the count last moved: monotonic, ms, and by the receive clock. */
  atMs: number
  atUs: number
  /** From when on it is silent, and not yet written down. */
  silentFromUs: number | undefined
  toldMs: number
  reviveMs: number
  reviveDueMs: number
}

export interface SilenceDeps {
  exchange: Pick<Adapter, 'silenceLimits' | 'familyOfChannel'>
  tape: Pick<Tape, 'counts' | 'journal'>
  clock: Pick<ReceiveClock, 'nowUs'>
  log: Logger
}

type Watched = Pick<Connection, 'name' | 'state' | 'channels' | 'session'>

/**
 * Finds families that say nothing although their connections live. The hot path knows nothing of it: once a second the
 * counts of frames are looked at. A silence is journalled with its bounds, and the family's channels are taken anew.
 */
export class SilenceWatch {
  readonly #deps: SilenceDeps
  readonly #connections: readonly Watched[]
  readonly #heard = new Map<string, Heard>()
  #lookedMs: number | undefined

  constructor(deps: SilenceDeps, connections: readonly Watched[]) {
    this.#deps = deps
    this.#connections = connections
  }

  /** To be called about once a second. @param nowMs monotonic */
  look(nowMs: number): void {
    const live = this.#connections.filter(({ state }) => state === 'live')
    const isAll = live.length > 0 && live.length === this.#connections.length
    const stoodStill = this.#lookedMs === undefined || nowMs - this.#lookedMs > LOOK_MS_MAX
    this.#lookedMs = nowMs
    const limits = this.#deps.exchange.silenceLimits?.(channelsOf(live)) ?? new Map<string, number>()
    for (const [family, heard] of this.#heard) if (!limits.has(family)) this.#end(family, heard)
    for (const [family, limitMs] of limits) this.#check(family, limitMs, nowMs, isAll && !stoodStill)
  }

  /** Writes down what is still silent. */
  close(): void {
    for (const [family, heard] of this.#heard) this.#end(family, heard)
  }

  #check(family: string, limitMs: number, nowMs: number, isListening: boolean): void {
    const { tape, clock, log } = this.#deps
    const frames = tape.counts.get(family)?.frames ?? 0
    const heard = this.#heard.get(family)
    if (heard?.frames !== frames || !isListening) {
      // A connection that is down is a gap, and told as one.
      if (heard) this.#end(family, heard)
      this.#heard.set(family, {
        ...{ frames, atMs: nowMs, atUs: clock.nowUs(), silentFromUs: undefined, toldMs: 0 },
        ...{ reviveMs: REVIVE_MS, reviveDueMs: 0 },
      })
      return
    }
    if (nowMs - heard.atMs < limitMs) return
    if (heard.silentFromUs === undefined) {
      heard.silentFromUs = heard.atUs
      log.warn({ family, seconds: Math.round((nowMs - heard.atMs) / 1000) }, 'no frames of a family that never rests')
      this.#tell(family, heard, nowMs)
    } else if (nowMs - heard.toldMs >= TOLD_AGAIN_MS) this.#tell(family, heard, nowMs)
    if (nowMs >= heard.reviveDueMs) this.#revive(family, heard, nowMs)
  }

  #tell(family: string, heard: Heard, nowMs: number): void {
    const { tape, clock } = this.#deps
    const toUs = clock.nowUs()
    tape.journal('silent', { family, from_us: heard.silentFromUs, to_us: toUs })
    heard.silentFromUs = toUs
    heard.toldMs = nowMs
  }

  #end(family: string, heard: Heard): void {
    if (heard.silentFromUs !== undefined) {
      this.#tell(family, heard, 0)
      this.#deps.log.info({ family }, 'the silence is over')
    }
    this.#heard.delete(family)
  }

  #revive(family: string, heard: Heard, nowMs: number): void {
    heard.reviveDueMs = nowMs + heard.reviveMs
    heard.reviveMs = Math.min(REVIVE_MS_MAX, heard.reviveMs * 2)
    const { exchange, log } = this.#deps
    for (const { name, channels, session } of this.#connections) {
      const own = [...channels].filter(channel => exchange.familyOfChannel(channel) === family)
      if (own.length === 0) continue
      session
        ?.resubscribe?.(own, 'silent')
        .catch((error: unknown) => log.warn({ conn: name, family, err: messageOf(error) }, 'not subscribed anew'))
    }
  }
}

function* channelsOf(connections: readonly Watched[]): Generator<string> {
  for (const { channels } of connections) yield* channels
}
