/** From and to, both included. */
export interface SeqRange {
  from: number
  to: number
}

/** A set of sequence numbers, kept as ranges: numbers mostly come in order, so there are few. */
export class SeqRanges {
  readonly #ranges: SeqRange[] = []

  get ranges(): readonly Readonly<SeqRange>[] {
    return this.#ranges
  }

  get count(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  }

  add(from: number, to = from): void {
    if (to < from) return
    const ranges = this.#ranges
    const last = ranges.at(-1)
    if (last && from >= last.from && from <= last.to + 1) {
      last.to = Math.max(last.to, to)
      return
    }
    const first = this.#firstTouching(from)
    let end = first
    let merged = { from, to }
    for (let range = ranges[end]; range && range.from <= to + 1; range = ranges[++end])
      merged = { from: Math.min(merged.from, range.from), to: Math.max(merged.to, range.to) }
    ranges.splice(first, end - first, merged)
  }

  /** What of a range is not in the set, in order. */
  missing({ from, to }: SeqRange): SeqRange[] {
    const holes: SeqRange[] = []
    let next = from
    for (let at = this.#firstTouching(from); at < this.#ranges.length && next <= to; at++) {
      const range = this.#ranges[at] as SeqRange
      if (range.from > to) break
      if (range.from > next) holes.push({ from: next, to: range.from - 1 })
      next = Math.max(next, range.to + 1)
    }
    if (next <= to) holes.push({ from: next, to })
    return holes
  }

  /** The first range that ends at `seq - 1` or behind it. */
  #firstTouching(seq: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#ranges[middle] as SeqRange).to + 1 < seq) low = middle + 1
      else high = middle
    }
    return low
  }
}
