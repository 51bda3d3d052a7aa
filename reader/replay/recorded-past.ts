import type { KnownBook, ReplayProtocol } from '../../simulator/replay.js'
import { applyRecorded, sourceOf } from '../book/apply-frame.js'
import { BookBuilder } from '../book/book-builder.js'
import { booksAt } from '../book/raw-books.js'
import { isBeside, type Frame } from '../frame.js'
import { readFrameBatches, type ReadOptions } from '../read-frames.js'
import { firstFrame, lastFrames } from './last-frames.js'
import type { RecordedGaps } from './recorded-gaps.js'

/** How far back a snapshot is looked for, µs. */
const SNAPSHOT_BACK_US = 24 * 3_600_000_000

interface PastParts extends Pick<ReplayProtocol, 'reframed'> {
  gaps: RecordedGaps
  /** The recorded channels that bring what is asked for. */
  sourcesOf: (asked: string) => readonly string[]
}

/**
 * How channels stand at a moment of a recording, by the names that are asked for. What may be stale, since something may
 * have been missed after it, is not known.
 */
export class RecordedPast {
  constructor(
    private readonly place: Pick<ReadOptions, 'path' | 'onProblem'>,
    private readonly parts: PastParts,
  ) {}

  /** Books that are known, by channel. */
  async books(asked: readonly string[], atUs: number): Promise<Map<string, KnownBook>> {
    const { path, onProblem } = this.place
    const channels = [...new Set(asked.map(channel => this.#sourceOf(channel)))]
    const search = { path, channels, atUs, backUs: SNAPSHOT_BACK_US, ...(onProblem && { onProblem }) }
    const books = channels.length === 0 ? new Map<string, BookBuilder>() : await booksAt(search)
    const known = new Map<string, KnownBook>()
    for (const channel of asked) {
      const source = this.#sourceOf(channel)
      const book = books.get(source)
      if (
        book?.isKnown &&
        !this.parts.gaps.isStale({ channel: source, recvUs: book.recvUs, source: book.source }, atUs)
      )
        known.set(channel, shown(book))
    }
    return known
  }

  /** The book of a channel; where nothing was received yet, that of its first snapshot soon after. */
  async book(asked: string, atUs: number): Promise<KnownBook | undefined> {
    const known = (await this.books([asked], atUs)).get(asked)
    if (known) return known
    const first = await firstFrame(this.place, this.#sourceOf(asked), atUs)
    const book = new BookBuilder()
    return first && applyRecorded(book, first) === 'snapshot' ? shown(book) : undefined
  }

  /** What channels brought last, as far as that holds still. */
  async lasts(asked: readonly string[], atUs: number): Promise<Map<string, Buffer>> {
    const sources = [...new Set(asked.map(channel => this.#sourceOf(channel)))]
    const frames = sources.length === 0 ? new Map<string, Frame>() : await lastFrames(this.place, sources, atUs)
    const known = new Map<string, Buffer>()
    for (const channel of asked) {
      const source = this.#sourceOf(channel)
      const frame = frames.get(source)
      if (!frame || this.parts.gaps.isStale({ channel: source, recvUs: frame.recvUs, source: sourceOf(frame) }, atUs))
        continue
      const bytes = this.#reframed(channel, frame)
      if (bytes) known.set(channel, bytes)
    }
    return known
  }

  /** What a channel brought last; where nothing of it holds, what it brings first soon after. */
  async last(asked: string, atUs: number): Promise<string | undefined> {
    const known = (await this.lasts([asked], atUs)).get(asked)
    if (known) return known.toString('utf8')
    const first = await firstFrame(this.place, this.#sourceOf(asked), atUs)
    return first && this.#reframed(asked, first)?.toString('utf8')
  }

  /** Frames of a family and answers that filled its holes. */
  async *frames(family: string, fromUs: number, toUs: number): AsyncGenerator<Buffer, void> {
    if (fromUs >= toUs) return
    for await (const batch of readFrameBatches({ ...this.place, from: fromUs, to: toUs, channels: [family] }))
      for (const { conn, bytes } of batch) if (!isBeside(conn)) yield bytes
  }

  #sourceOf(asked: string): string {
    return this.parts.sourcesOf(asked)[0] ?? asked
  }

  #reframed(asked: string, frame: Frame): Buffer | undefined {
    return frame.channel === asked ? frame.bytes : this.parts.reframed?.(asked, frame.bytes)
  }
}

function shown({ changeId, exchangeMs, bids, asks }: BookBuilder): KnownBook {
  return { changeId, exchangeMs, bids: bids.list(), asks: asks.list() }
}
