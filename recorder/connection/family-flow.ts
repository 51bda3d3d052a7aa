import type { Span } from '../../platform/spans.js'
import type { Sample } from '../frame-router.js'
import { PAUSE_US, type Rhythm } from './rhythm.js'

/**
 * Frames that come so soon after a subscription, or before its answer, may be the first ones of quiet channels, which say
 * nothing of the flow.
 */
const FIRST_FRAMES_US = 3_000_000
const PAUSES_MAX = 50
const KNOWN_AFTER_FRAMES = 100
const KNOWN_AFTER_US = 15_000_000

/** Time without a frame of a family, from one frame to the next. */
export interface Pause extends Span {
  /** A frame that came some seconds before at most; undefined where none did. */
  before: Sample | undefined
  after: Buffer
  /** The frame that ended it may only answer a subscription. */
  isAnswer: boolean
}

/** Frames of one family on one connection, counted in the hot path. */
export class FamilyFlow {
  /** Receive stamp of the last frame. */
  lastUs = -Infinity
  frames = 0
  readonly rhythm: Rhythm
  /** Until then a frame that follows another one closely is an own one, and nothing else is to be kept of it. */
  #calmUntilUs = -Infinity
  #answers = 0
  /** Of the last own frame, as long as answers come behind it. */
  #ownUs = -Infinity
  #ownSinceUs = 0
  /** When the last own one came some seconds ago, and some before that. */
  #ownEarlierUs = -Infinity
  #ownOldUs = -Infinity
  #rotatedUs = -Infinity
  /** Of the frames before, each few seconds one. */
  #sample: Sample | undefined
  #answersUntilUs = -Infinity
  #pauses: Pause[] = []

  constructor(rhythm: Rhythm) {
    this.rhythm = rhythm
    rhythm.join(this)
  }

  heard(recvUs: number, frame: Buffer): void {
    if (recvUs - this.lastUs > PAUSE_US || recvUs > this.#calmUntilUs) this.#note(recvUs, frame)
    this.lastUs = recvUs
    this.frames++
  }

  /** Receive stamp of the last frame that was no answer to a subscription. */
  get ownUs(): number {
    return this.lastUs > this.#answersUntilUs ? this.lastUs : this.#ownUs
  }

  /** It was heard for long enough, first answers apart, to be believed that it never rests. */
  get isKnown(): boolean {
    return this.frames - this.#answers >= KNOWN_AFTER_FRAMES && this.ownUs - this.#ownSinceUs >= KNOWN_AFTER_US
  }

  /** Channels were subscribed just now. */
  subscribed(atUs: number): void {
    const { ownUs } = this
    const beforeUs = atUs - FIRST_FRAMES_US
    this.#ownUs = ownUs <= beforeUs ? ownUs : this.#ownEarlierUs > beforeUs ? this.#ownOldUs : this.#ownEarlierUs
    this.#answersUntilUs = atUs + FIRST_FRAMES_US
    this.#calmUntilUs = -Infinity
  }

  /** The next frame, which follows a pause, answers, or is the first in some seconds. */
  #note(recvUs: number, frame: Buffer): void {
    const isAnswer = recvUs <= this.#answersUntilUs
    if (recvUs - this.lastUs > PAUSE_US) {
      this.rhythm.resumed(recvUs)
      if (this.#pauses.length < PAUSES_MAX)
        this.#pauses.push({
          fromUs: this.lastUs,
          toUs: recvUs,
          before: this.#sample,
          after: Buffer.from(frame),
          isAnswer,
        })
    }
    if (recvUs - (this.#sample?.recvUs ?? -Infinity) > FIRST_FRAMES_US)
      this.#sample = { frame: Buffer.from(frame), recvUs }
    if (isAnswer) {
      this.#answers++
      return
    }
    if (this.frames === this.#answers) this.#ownSinceUs = recvUs
    if (recvUs - this.#rotatedUs <= FIRST_FRAMES_US) return
    this.#ownOldUs = this.#ownEarlierUs
    this.#ownEarlierUs = this.ownUs
    this.#rotatedUs = recvUs
    this.#calmUntilUs = recvUs + FIRST_FRAMES_US
  }

  /** When the first frame after a time came, which no look has passed yet; Infinity where none did. */
  firstUsAfter(us: number): number {
    const pause = this.#pauses.find(({ fromUs, toUs }) => fromUs <= us && toUs > us)
    return pause?.toUs ?? (this.lastUs > us ? this.lastUs : Infinity)
  }

  /** Pauses that ended since the last call. */
  takePauses(): Pause[] {
    const pauses = this.#pauses
    if (pauses.length > 0) this.#pauses = []
    return pauses
  }

  /** The clock was set. */
  shift(stepUs: number): void {
    this.lastUs += stepUs
    this.#ownUs += stepUs
    this.#ownEarlierUs += stepUs
    this.#ownOldUs += stepUs
    this.#rotatedUs += stepUs
    this.#calmUntilUs += stepUs
    this.#ownSinceUs += stepUs
    this.#answersUntilUs += stepUs
    this.#sample = this.#sample && { ...this.#sample, recvUs: this.#sample.recvUs + stepUs }
    this.#pauses = []
  }
}

/** What one connection brings, by family. */
export class Flows {
  /** When a change of a book last turned out to be missing; what is no book may have been missing with it. */
  brokeUs = -Infinity
  readonly #byFamily = new Map<string, FamilyFlow>()
  readonly #rhythmOf: (family: string) => Rhythm

  /** @param rhythmOf shared by the connections that carry the same */
  constructor(rhythmOf: (family: string) => Rhythm) {
    this.#rhythmOf = rhythmOf
  }

  of(family: string): FamilyFlow {
    const known = this.#byFamily.get(family)
    if (known) return known
    const flow = new FamilyFlow(this.#rhythmOf(family))
    this.#byFamily.set(family, flow)
    return flow
  }

  heard(family: string, recvUs: number, frame: Buffer): void {
    this.of(family).heard(recvUs, frame)
  }

  /** Receive stamp of the last frame of any of these families. */
  lastUsOf(families: Iterable<string>): number {
    let lastUs = -Infinity
    for (const family of families) lastUs = Math.max(lastUs, this.of(family).lastUs)
    return lastUs
  }

  shift(stepUs: number): void {
    for (const flow of this.#byFamily.values()) flow.shift(stepUs)
  }
}
