import type { Span } from '../../platform/spans.js'

/** A pause between two frames is looked at from here on, µs; a shorter one is no pause at all. */
export const PAUSE_US = 600_000

/** Before so many frames over so long nothing is known. */
const KNOWN_AFTER_FRAMES = 30
const KNOWN_AFTER_US = 3_000_000
/** A family that never rests for longer than this comes densely, µs. */
const DENSE_US = 15_000_000
/** A pause is out of rhythm from here on, however dense the family, µs: machines stumble. */
const LIMIT_US_MIN = 2_000_000
/** And where it is so many times as long as any of late. */
const TIMES_LONGEST = 3
const LATELY_US = 1_800_000_000
const PENDING_MAX = 100

/** Frames of the family on one connection. */
interface Flow {
  /** Receive stamp of the last frame. */
  readonly lastUs: number
  readonly frames: number
}

/**
 * How densely frames of a family come, whichever of the connections that carry the same brings them. Only pauses in
 * which all of these were up are learned from: they agree that nothing was sent.
 */
export class Rhythm {
  readonly #flows: Flow[] = []
  #sinceUs = 0
  #pending: Span[] = []
  #longestUs = 0
  #longestBeforeUs = 0
  #countingSinceUs = 0

  /** One more connection brings the family. */
  join(flow: Flow): void {
    this.#flows.push(flow)
  }

  /** One of them brings a frame behind a pause of its own. To be called before it counts. */
  resumed(recvUs: number): void {
    const lastUs = this.#lastUs
    if (recvUs - lastUs <= PAUSE_US) return
    if (this.#frames === 0) {
      this.#sinceUs = recvUs
      this.#countingSinceUs = recvUs
    } else if (this.#pending.length < PENDING_MAX) this.#pending.push({ fromUs: lastUs, toUs: recvUs })
  }

  /** To be called about once a second. @param wasWhole all connections were up over a span */
  learn(wasWhole: (pause: Span) => boolean): void {
    if (this.#pending.length === 0) return
    const pauses = this.#pending
    this.#pending = []
    for (const pause of pauses) {
      if (!wasWhole(pause)) continue
      this.#rotate(pause.toUs)
      this.#longestUs = Math.max(this.#longestUs, pause.toUs - pause.fromUs)
    }
  }

  /** From how long a pause on, µs, it cannot be distinguished from a loss; undefined where the family comes now and then. */
  get limitUs(): number | undefined {
    if (this.#frames < KNOWN_AFTER_FRAMES || this.#lastUs - this.#sinceUs < KNOWN_AFTER_US) return undefined
    return Math.max(LIMIT_US_MIN, TIMES_LONGEST * Math.max(this.#longestUs, this.#longestBeforeUs))
  }

  get isDense(): boolean {
    return this.limitUs !== undefined && this.limitUs <= DENSE_US
  }

  /** The longest pause of late. */
  get longestUs(): number {
    return this.#longestUs
  }

  /** A pause that was learned turned out to be a loss: none was longer than this. */
  forget(longestUs: number): void {
    this.#longestUs = Math.min(this.#longestUs, longestUs)
  }

  /** The clock was set. */
  shift(stepUs: number): void {
    this.#sinceUs += stepUs
    this.#countingSinceUs += stepUs
    this.#pending = []
  }

  get #frames(): number {
    return this.#flows.reduce((sum, { frames }) => sum + frames, 0)
  }

  get #lastUs(): number {
    return Math.max(-Infinity, ...this.#flows.map(({ lastUs }) => lastUs))
  }

  #rotate(atUs: number): void {
    if (atUs - this.#countingSinceUs < LATELY_US) return
    const isRecent = atUs - this.#countingSinceUs < 2 * LATELY_US
    this.#longestBeforeUs = isRecent ? this.#longestUs : 0
    this.#longestUs = 0
    this.#countingSinceUs = atUs
  }
}
