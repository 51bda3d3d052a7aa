import type { BookBuilder } from './book-builder.js'
import type { Doubt } from '../../formats/journal/doubts.js'

/** Moments at which a book is looked at, µs since the epoch. */
export interface Moments {
  fromUs: number
  /** Up to but not including this one. */
  toUs: number
  everyUs: number
}

/** So many samples wait in memory at most. */
const LOOKS_MAX = 4096

/**
 * Walks along with the frames of one channel: before each of them it lets happen what lies before it in time, doubts and
 * the moments at which the book is looked at. A frame received at a moment is part of the book at that moment.
 */
export class BookTimeline {
  readonly builder: BookBuilder
  readonly #channel: string
  readonly #doubts: readonly Doubt[]
  readonly #moments: Moments
  readonly #look: (atUs: number, builder: BookBuilder) => void
  #nextDoubt = 0
  #nextUs: number

  /** @param doubts by time */
  constructor(
    builder: BookBuilder,
    channel: string,
    doubts: readonly Doubt[],
    moments: Moments,
    look: (atUs: number, builder: BookBuilder) => void,
  ) {
    this.builder = builder
    this.#channel = channel
    this.#doubts = doubts
    this.#moments = moments
    this.#look = look
    this.#nextUs = moments.fromUs
  }

  /**
   * Everything before a frame that was received at `us`, or so much of it as may be looked at in one go.
   * @returns false where more is left: to be called again before the frame is applied
   */
  advance(us: number): boolean {
    const { toUs, everyUs } = this.#moments
    // The usual case: nothing.
    if (this.#nextUs >= us && (this.#doubts[this.#nextDoubt]?.sinceUs ?? Infinity) >= us) return true
    for (let looks = 0; this.#nextUs < us && this.#nextUs < toUs; this.#nextUs += everyUs) {
      if (looks++ === LOOKS_MAX) return false
      this.#breakOff(this.#nextUs)
      this.#look(this.#nextUs, this.builder)
    }
    this.#breakOff(us)
    return true
  }

  /** What is left of the moments when no frame follows; false where it has to be called again. */
  end(): boolean {
    return this.advance(this.#moments.toUs)
  }

  #breakOff(beforeUs: number): void {
    for (
      let doubt = this.#doubts[this.#nextDoubt];
      doubt && doubt.sinceUs < beforeUs;
      doubt = this.#doubts[++this.#nextDoubt]
    )
      if (concerns(doubt, this.builder.source, this.#channel))
        this.builder.doubt(Math.max(doubt.sinceUs, 0), doubt.because)
  }
}

/** Whether a doubt is about what a source brought on a channel; a source as `sourceOf` names it. */
export function concerns({ host, conn, channels }: Doubt, source: string, channel: string): boolean {
  const [ownHost, ownConn] = splitSource(source)
  return (
    (host === undefined || host === ownHost) &&
    (conn === undefined || conn === ownConn) &&
    (channels?.includes(channel) ?? true)
  )
}

function splitSource(source: string): [host: string, conn: string] {
  const at = source.lastIndexOf('/')
  // What was asked for a connection is of it, too.
  return [source.slice(0, at), source.slice(at + 1).split('.', 1)[0] ?? '']
}
