import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { bringsBooks, type Books } from '../../exchanges/book.js'
import { EdgeError } from '../../platform/edge-error.js'
import { readFrameBatches } from '../read-frames.js'
import { answerLagUs, applyRecorded, type AppliedFrame } from './apply-frame.js'
import { BookBuilder } from './book-builder.js'
import { doubtsOf, type Doubt } from '../../formats/journal/doubts.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import { inOrder, rawEntries } from '../../formats/journal/read.js'
import { lastSignOf, openRunsOf, type OpenRun } from '../../formats/journal/runs.js'
import { ParquetBooks } from './parquet-books.js'
import { lastSnapshots } from './raw-books.js'
import { rawLastSign } from './last-sign.js'
import { BookTimeline, type Moments } from './timeline.js'
import { rawOf } from '../recorded-exchange.js'
import { whoseBook, type BookExchange } from './whose-book.js'

export interface BookHistoryOptions {
  /** A dataDir or a copy of one, with `raw/`, `parquet/` or both. */
  path: string
  /** e.g. `BTC-PERPETUAL` */
  instrument: string
  /** Whose; default: of the exchanges recorded there, the one that has such an instrument. */
  exchange?: string | undefined
  /** e.g. `book.BTC-PERPETUAL.100ms`. Default: the finest that was recorded. */
  channel?: string | undefined
  /** What to read. Default: Parquet as far as it goes, raw segments from there on. */
  source?: 'raw' | 'parquet' | undefined
  onProblem?: ((path: string, problem: string) => void) | undefined
}

/** What became of the frames of a walk. */
export interface WalkCounts {
  frames: number
  /** Frames after which the best bid was not below the best ask. */
  crossed: number
  /** Frames before which one was missing. */
  breaks: number
}

/** From where the frames of a channel come. */
interface Sources {
  channel: string
  /** µs; of the table `book`. */
  parquet: { fromUs: number; toUs: number } | undefined
  raw: { fromUs: number; toUs: number } | undefined
}

/**
 * The book of an instrument over time, from Parquet as far as it goes and raw segments from there on.
 * Memory: the book, an hour of its rows, and what reading frames takes.
 */
export class BookHistory {
  readonly counts: WalkCounts = { frames: 0, crossed: 0, breaks: 0 }
  readonly #options: BookHistoryOptions
  readonly #books: Books
  /** Where its frames are. */
  readonly #raw: string
  readonly #parquet: ParquetBooks | undefined
  readonly #hasRaw: boolean
  readonly #connection: DuckDBConnection | undefined

  private constructor(
    options: BookHistoryOptions,
    exchange: BookExchange,
    hasRaw: boolean,
    connection: DuckDBConnection | undefined,
  ) {
    this.#options = options
    this.#books = exchange.books
    this.#raw = rawOf(options.path, exchange.name)
    this.#hasRaw = hasRaw && existsSync(this.#raw)
    this.#connection = connection
    this.#parquet = connection && new ParquetBooks(connection, options.path, exchange, options.instrument)
  }

  /** @throws EdgeError BOOK_NO_DATA, BOOK_NOT_RECORDED */
  static async open(options: BookHistoryOptions): Promise<BookHistory> {
    const { path, source } = options
    const hasRaw = source !== 'parquet' && existsSync(join(path, 'raw'))
    const hasParquet = source !== 'raw' && existsSync(join(path, 'parquet'))
    if (!hasRaw && !hasParquet) {
      throw new EdgeError(
        'BOOK_NO_DATA',
        `${path} holds no ${source === undefined ? 'raw/ or parquet/' : `${source}/`}`,
        {
          path,
          hint: 'wanted a dataDir or a copy of one',
        },
      )
    }
    const exchange = whoseBook(path, options.instrument, options.exchange)
    if (!exchange) throw notRecorded(options)
    // DuckDB takes half a second to load: only who needs it waits for it.
    const connection = hasParquet ? await (await import('../../platform/duckdb.js')).openDuckDb() : undefined
    return new BookHistory(options, exchange, hasRaw, connection)
  }

  close(): void {
    this.#connection?.closeSync()
  }

  /**
   * Calls `look` with the book at each of some moments, in order. Yields now and then, so that the caller can do
   * something with what it saw.
   * @param book the frames are given to it, one that hears them itself for instance
   * @throws EdgeError BOOK_NOT_RECORDED
   */
  async *walk(
    moments: Moments,
    look: (atUs: number, channel: string, builder: BookBuilder) => void,
    book: BookBuilder = new BookBuilder(),
  ): AsyncGenerator<undefined> {
    const { channel, parquet, raw } = await this.#sources(moments)
    book.isAnswered = answerLagUs(this.#books, channel) > 0
    const fromUs = Math.min(parquet?.fromUs ?? Infinity, raw?.fromUs ?? Infinity)
    const doubts = await this.#doubts(fromUs, moments.toUs)
    const timeline = new BookTimeline(book, channel, doubts, moments, (atUs, builder) => look(atUs, channel, builder))
    const applied = (link: AppliedFrame) => this.#count(link, timeline.builder)
    if (parquet && this.#parquet) yield* this.#parquet.feed(timeline, channel, parquet, applied)
    if (raw) yield* this.#feedRaw(timeline, channel, raw, applied)
    while (!timeline.end()) yield undefined
  }

  async *#feedRaw(
    timeline: BookTimeline,
    channel: string,
    span: { fromUs: number; toUs: number },
    applied: (link: AppliedFrame) => void,
  ): AsyncGenerator<undefined> {
    const { onProblem } = this.#options
    const reading = { path: this.#raw, channels: [channel], from: span.fromUs, to: span.toUs, onProblem }
    for await (const batch of readFrameBatches(reading)) {
      for (const frame of batch) {
        while (!timeline.advance(frame.recvUs)) yield undefined
        applied(applyRecorded(timeline.builder, frame))
      }
      yield undefined
    }
  }

  #count(link: AppliedFrame, builder: BookBuilder): void {
    this.counts.frames++
    if (link === 'break' || link === 'odd') this.counts.breaks++
    if ((link === 'next' || link === 'snapshot') && builder.isCrossed) this.counts.crossed++
  }

  async #sources({ fromUs, toUs }: Moments): Promise<Sources> {
    const channel = this.#options.channel ?? (await this.#finestChannel(fromUs, toUs))
    const inTable = (await this.#parquet?.channels(fromUs, toUs - 1))?.find(span => span.channel === channel)
    const snapshotUs = await this.#parquet?.lastSnapshot(channel, fromUs)
    const { onProblem } = this.#options
    const search = { path: this.#raw, channels: [channel], atUs: fromUs, ...(onProblem && { onProblem }) }
    if (snapshotUs === undefined) {
      const rawUs = this.#hasRaw ? (await lastSnapshots(search)).get(channel) : undefined
      // Only raw knows how the book stood at the beginning.
      if (rawUs !== undefined || !inTable)
        return { channel, parquet: undefined, raw: { fromUs: rawUs ?? fromUs, toUs } }
    }
    const startUs = snapshotUs === undefined ? fromUs : snapshotUs - answerLagUs(this.#books, channel)
    const tableUs = inTable?.lastUs ?? (await this.#lastInTable(channel, startUs, fromUs))
    return {
      channel,
      parquet: { fromUs: startUs, toUs: tableUs + 1 },
      raw: this.#hasRaw && tableUs + 1 < toUs ? { fromUs: tableUs + 1, toUs } : undefined,
    }
  }

  async #lastInTable(channel: string, fromUs: number, toUs: number): Promise<number> {
    const spans = (await this.#parquet?.channels(fromUs, toUs)) ?? []
    return spans.find(span => span.channel === channel)?.lastUs ?? fromUs
  }

  async #finestChannel(fromUs: number, toUs: number): Promise<string> {
    // A quiet book may not have changed for long.
    for (const sinceUs of [fromUs - DAY_US, -Infinity]) {
      const finest = this.#books.finestOf(await this.#channelsSince(sinceUs, toUs))
      if (finest !== undefined) return finest
    }
    throw notRecorded(this.#options)
  }

  async #channelsSince(fromUs: number, toUs: number): Promise<string[]> {
    const { instrument } = this.#options
    const inTable = (await this.#parquet?.channels(fromUs, toUs)) ?? []
    const raw = this.#hasRaw ? await someChannels(this.#raw, this.#books.channelsOf(instrument), fromUs, toUs) : []
    return [...inTable.map(({ channel }) => channel), ...raw]
  }

  async #doubts(fromUs: number, toUs: number): Promise<Doubt[]> {
    const around = { fromUs: fromUs - DAY_US, toUs: toUs + DAY_US }
    const entries = inOrder([
      ...((await this.#parquet?.journal(around)) ?? []),
      ...(this.#hasRaw ? rawEntries(this.#raw, around) : []),
    ])
    const runs = openRunsOf(entries)
    // Without any journal nobody knows when the recording ended, but by its last frame.
    if (entries.length === 0) runs.push({ exchange: '', host: '', run: '', fromUs: -Infinity, toUs: Infinity })
    const signs: JournalEntry[] = []
    for (const run of runs) signs.push(lastSignOf(run, await this.#lastSign(run, entries, toUs)))
    const known = [...entries, ...signs].sort((a, b) => a.recvUs - b.recvUs)
    return doubtsOf(known, family => bringsBooks(this.#books, family)).map(doubt =>
      doubt.host === '' ? { ...doubt, host: undefined } : doubt,
    )
  }

  async #lastSign(run: OpenRun, entries: readonly JournalEntry[], toUs: number): Promise<number> {
    const own = entries.filter(({ host, recvUs }) => host === run.host && recvUs >= run.fromUs && recvUs < run.toUs)
    const journalUs = Math.max(-Infinity, ...own.map(({ recvUs }) => recvUs))
    if (journalUs >= toUs) return journalUs
    const tableUs = (await this.#parquet?.lastSign(run.host, run.fromUs, run.toUs)) ?? -Infinity
    const rawUs = this.#hasRaw ? rawLastSign(this.#raw, run, toUs) : -Infinity
    return Math.max(journalUs, tableUs, rawUs)
  }
}

const DAY_US = 86_400_000_000

function notRecorded({ path, instrument }: BookHistoryOptions): EdgeError {
  return new EdgeError('BOOK_NOT_RECORDED', `no full book of ${instrument} was recorded at that time`, {
    path,
    hint: 'names are case-sensitive; edgetape coverage says what was recorded',
  })
}
/** Frames in which all channels of an instrument will have been seen. */
const FRAMES_LOOKED_AT = 5_000

async function someChannels(path: string, channels: readonly string[], from: number, to: number): Promise<Set<string>> {
  const found = new Set<string>()
  let frames = 0
  const reading = { path, from, to, channels, onProblem: () => undefined }
  for await (const batch of readFrameBatches(reading)) {
    for (const { channel } of batch) if (channel !== undefined) found.add(channel)
    frames += batch.length
    if (frames > FRAMES_LOOKED_AT) break
  }
  return found
}
