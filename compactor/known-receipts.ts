import { datesWithReceipts, readReceiptsOf, type Receipt, type Receipts } from '../formats/receipt.js'
import { parseSegmentPath, segmentDate } from '../formats/raw-path.js'

/** So many dates' receipts are in memory at once, about 1 MB each; a backlog goes from date to date. */
const DATES_MAX = 4

/** Receipts of the dates that are worked on: read from their files when they are asked for. */
export class KnownReceipts {
  readonly #dataDir: string
  /** The one that was asked for last is the last. */
  readonly #byDate = new Map<string, Receipts>()

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  get(segment: string): Receipt | undefined {
    const date = dateOfSegment(segment)
    return date === undefined ? undefined : this.#of(date).get(segment)
  }

  /** A receipt that is in its file by now. */
  set(receipt: Receipt): void {
    const date = dateOfSegment(receipt.segment)
    if (date !== undefined) this.#of(date).set(receipt.segment, receipt)
  }

  /** All dates, each read on its own and not kept. */
  *byDate(): Generator<[string, Receipts], void> {
    for (const date of datesWithReceipts(this.#dataDir)) yield [date, readReceiptsOf(this.#dataDir, date)]
  }

  #of(date: string): Receipts {
    const receipts = this.#byDate.get(date) ?? readReceiptsOf(this.#dataDir, date)
    this.#byDate.delete(date)
    this.#byDate.set(date, receipts)
    for (const oldest of this.#byDate.keys()) {
      if (this.#byDate.size <= DATES_MAX) break
      this.#byDate.delete(oldest)
    }
    return receipts
  }
}

function dateOfSegment(path: string): string | undefined {
  const parsed = parseSegmentPath(path)
  return parsed && segmentDate(parsed.name)
}
