import { readFrameBatches } from '../read-frames.js'
import { segmentFiles } from '../../formats/segment-files.js'
import { segmentEndMs, segmentHourMs } from '../../formats/segment-span.js'
import { answerLagUs, applyRecorded, booksOf } from './apply-frame.js'
import { BookBuilder } from './book-builder.js'
import { isOfBooks } from './whose-book.js'
import { least } from '../../platform/extremes.js'

const HOUR_US = 3_600_000_000

export interface SnapshotSearch {
  /** A dataDir or a copy of one. */
  path: string
  /** Names of channels, e.g. `book.BTC-PERPETUAL.100ms`. */
  channels: readonly string[]
  /** µs since the epoch; a snapshot received at this moment counts. */
  atUs: number
  /** How far back to look, µs; snapshots come only when a channel is subscribed. Default: to the beginning. */
  backUs?: number
  onProblem?: (path: string, problem: string) => void
}

/**
 * When the last snapshot of each channel was received, µs, found hour by hour backwards, or what it is put together from;
 * channels without any are left out.
 */
export async function lastSnapshots(search: SnapshotSearch): Promise<Map<string, number>> {
  const { path, atUs, backUs = Infinity, onProblem } = search
  const found = new Map<string, number>()
  for (const hourUs of hoursUpTo(path, atUs)) {
    const missing = search.channels.filter(channel => !found.has(channel))
    if (missing.length === 0 || hourUs + HOUR_US < atUs - backUs) break
    const to = Math.min(hourUs + HOUR_US, atUs + 1)
    for await (const batch of readFrameBatches({ path, channels: missing, from: hourUs, to, onProblem })) {
      for (const frame of batch) {
        const { channel, bytes, recvUs } = frame
        const books = booksOf(frame)
        if (channel !== undefined && books.isSnapshot(bytes)) found.set(channel, recvUs - answerLagUs(books, channel))
      }
    }
  }
  return found
}

/** Hours of which there are books, the latest first, µs. */
function hoursUpTo(path: string, atUs: number): number[] {
  const hours = new Set<number>()
  const choice = { fromUs: -Infinity, toUs: atUs + 1, mayHold: isOfBooks }
  for (const { name } of segmentFiles(path, choice)) {
    const toUs = Math.min(segmentEndMs(name) * 1000, atUs + 1)
    for (let us = segmentHourMs(name) * 1000; us < toUs; us += HOUR_US) hours.add(us)
  }
  return [...hours].sort((a, b) => b - a)
}

/**
 * The books of channels at a moment, from their last snapshots on. A channel without a snapshot, or with a change missing
 * since, has an unknown book.
 */
export async function booksAt(search: SnapshotSearch): Promise<Map<string, BookBuilder>> {
  const books = new Map(search.channels.map(channel => [channel, new BookBuilder()]))
  const snapshots = await lastSnapshots(search)
  const from = least(snapshots.values())
  if (from === Infinity) return books
  const { path, atUs, onProblem } = search
  const channels = [...snapshots.keys()]
  for await (const batch of readFrameBatches({ path, channels, from, to: atUs + 1, onProblem })) {
    for (const frame of batch) {
      const { channel = '', recvUs } = frame
      const book = books.get(channel)
      if (book && recvUs >= (snapshots.get(channel) ?? Infinity)) applyRecorded(book, frame)
    }
  }
  return books
}
