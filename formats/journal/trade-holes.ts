import { SeqRanges, type SeqRange } from '../../platform/seq-ranges.js'
import type { EntryOf } from './entry.js'
import type { JournalSpan } from './gap.js'

interface Hole extends SeqRange {
  gap: JournalSpan
  run: string
  /** What of it came after all. */
  got: SeqRanges
}

/** Holes in the numbers of trades that are not whole yet, by host and instrument. */
export class TradeHoles {
  readonly #open = new Map<string, Hole[]>()

  /**
   * A hole was found. A run that was killed leaves some that it had asked for; the next one looks in the files, and what it
   * does not miss of such a hole is there.
   */
  found(entry: EntryOf<'trade_hole'>, gap: JournalSpan): void {
    const range = rangeOf(entry)
    if (!range) return
    const holes = this.#open.get(keyOf(entry)) ?? []
    for (const hole of holes) {
      if (hole.run === entry.run || range.from > hole.to || range.to < hole.from) continue
      if (range.from > hole.from) hole.got.add(hole.from, range.from - 1)
      if (range.to < hole.to) hole.got.add(range.to + 1, hole.to)
    }
    for (const hole of holes) hole.gap.count = countOf(hole)
    gap.count = range.to - range.from + 1
    this.#open.set(keyOf(entry), [...holes, { ...range, gap, run: entry.run, got: new SeqRanges() }])
  }

  /** Trades were fetched. Returns the gaps of the holes that are whole by that. */
  filled(entry: EntryOf<'backfill'>): JournalSpan[] {
    const range = rangeOf(entry)
    const holes = this.#open.get(keyOf(entry))
    if (!range || !holes) return []
    const whole = holes.filter(hole => {
      hole.got.add(range.from, range.to)
      return hole.got.missing(hole).length === 0
    })
    const left = holes.filter(hole => !whole.includes(hole))
    if (left.length > 0) this.#open.set(keyOf(entry), left)
    else this.#open.delete(keyOf(entry))
    for (const hole of holes) hole.gap.count = countOf(hole)
    for (const { gap } of whole) delete gap.pending
    return whole.map(({ gap }) => gap)
  }

  /** The exchange answered, and what of it did not come is not to be had. */
  answered(entry: EntryOf<'backfill'>): void {
    const range = rangeOf(entry)
    for (const hole of this.#open.get(keyOf(entry)) ?? [])
      if (range && range.from <= hole.to && range.to >= hole.from) {
        for (const [from, to] of entry.detail.got ?? []) hole.got.add(Math.max(from, hole.from), Math.min(to, hole.to))
        hole.gap.count = countOf(hole)
        delete hole.gap.pending
      }
  }
}

const countOf = (hole: Hole) => hole.got.missing(hole).reduce((sum, { from, to }) => sum + to - from + 1, 0)

type OfTrades = EntryOf<'trade_hole' | 'backfill'>

const keyOf = ({ host, detail }: OfTrades) => `${host} ${detail.family ?? ''} ${String(detail.instrument)}`

function rangeOf({ detail }: OfTrades): SeqRange | undefined {
  const { from_seq: from, to_seq: to } = detail
  if (from === undefined || to === undefined || !Number.isSafeInteger(from) || !Number.isSafeInteger(to))
    return undefined
  return { from, to }
}
