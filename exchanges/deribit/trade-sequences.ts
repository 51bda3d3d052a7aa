import { SeqRanges, type SeqRange } from '../../platform/seq-ranges.js'

/** Hostile names must not fill the memory; more instruments than ever trade within a run. */
const INSTRUMENTS_MAX = 200_000
/** Further holes of an instrument are joined with its last one: what lies between is then asked for, too. */
const HOLES_PER_INSTRUMENT_MAX = 100

/** How it became known that trades are missing. */
export type HoleCause = 'a later trade came' | 'the exchange lists trades that never came' | 'the recorder was off'

/** Trades of an instrument that were made and did not come. */
export interface TradeHole extends SeqRange {
  instrument: string
  cause: HoleCause
  /** Receive stamps around the hole: of the last trade before it, and of what showed it. */
  fromUs: number
  toUs: number
}

interface Sequence {
  /** Every number from `first` to `last` has come or lies in a hole. */
  first: number
  last: number
  lastUs: number
  /** Undefined as long as nothing ever was missing. */
  holes: TradeHole[] | undefined
}

/**
 * The trades of every instrument over all connections: `trade_seq` counts up by one per instrument. Trades may come out
 * of order and more than once. A hole stays until trades fill it or until it is taken to be asked for.
 */
export class TradeSequences {
  readonly #sequences = new Map<string, Sequence>()
  readonly #withHoles = new Set<Sequence>()

  /** A trade came. */
  see(instrument: string, seq: number, recvUs: number): void {
    const sequence = this.#sequences.get(instrument)
    if (sequence === undefined) {
      this.#start(instrument, seq, seq, recvUs)
      return
    }
    if (seq === sequence.last + 1) {
      sequence.last = seq
      sequence.lastUs = recvUs
    } else if (seq > sequence.last) {
      this.#open(sequence, instrument, { from: sequence.last + 1, to: seq - 1 }, 'a later trade came', recvUs)
      sequence.last = seq
      sequence.lastUs = recvUs
    } else if (seq < sequence.first) {
      // Older than all that is known: what lies between may never have been ours to have.
      if (seq === sequence.first - 1) sequence.first = seq
    } else if (sequence.holes !== undefined) this.#fill(sequence, seq)
  }

  /** The exchange says that it has these trades of an instrument, and all between: they should have come. */
  list(instrument: string, { from, to }: SeqRange, nowUs: number): void {
    const cause = 'the exchange lists trades that never came'
    const known = this.#sequences.get(instrument)
    const sequence = known ?? this.#start(instrument, from, from - 1, nowUs)
    if (!sequence) return
    if (from < sequence.first) {
      this.#open(sequence, instrument, { from, to: sequence.first - 1 }, cause, nowUs)
      sequence.first = from
    }
    if (to > sequence.last) {
      this.#open(sequence, instrument, { from: sequence.last + 1, to }, cause, nowUs)
      sequence.last = to
    }
  }

  /** What earlier runs recorded of an instrument; what is missing in it, or between it and now, is a hole. */
  remember(instrument: string, recorded: SeqRanges, lastUs: number, nowUs: number): void {
    const { ranges } = recorded
    const first = ranges[0]?.from
    const last = ranges.at(-1)?.to
    if (first === undefined || last === undefined) return
    const cause = 'the recorder was off'
    const known = this.#sequences.get(instrument)
    const sequence = known ?? this.#start(instrument, first, last, lastUs)
    if (!sequence) return
    const all = new SeqRanges()
    for (const { from, to } of ranges) all.add(from, to)
    if (known && known.last >= known.first) all.add(known.first, known.last)
    sequence.first = Math.min(first, sequence.first)
    sequence.last = Math.max(last, sequence.last)
    const missing = all.missing({ from: sequence.first, to: sequence.last })
    for (const hole of missing) this.#open(sequence, instrument, hole, cause, nowUs, lastUs)
  }

  /** Takes the holes that were found before a time: they are asked for now, and trades that still come are doubles. */
  takeHoles(foundBeforeUs: number): TradeHole[] {
    const taken: TradeHole[] = []
    for (const sequence of this.#withHoles) {
      const { holes = [] } = sequence
      taken.push(...holes.filter(({ toUs }) => toUs <= foundBeforeUs))
      sequence.holes = holes.filter(({ toUs }) => toUs > foundBeforeUs)
      if (sequence.holes.length > 0) continue
      sequence.holes = undefined
      this.#withHoles.delete(sequence)
    }
    return taken
  }

  #start(instrument: string, first: number, last: number, lastUs: number): Sequence | undefined {
    if (this.#sequences.size >= INSTRUMENTS_MAX) return undefined
    const sequence: Sequence = { first, last, lastUs, holes: undefined }
    this.#sequences.set(instrument, sequence)
    return sequence
  }

  #open(
    sequence: Sequence,
    instrument: string,
    { from, to }: SeqRange,
    cause: HoleCause,
    nowUs: number,
    fromUs = Math.min(sequence.lastUs, nowUs),
  ): void {
    const holes = (sequence.holes ??= [])
    this.#withHoles.add(sequence)
    const last = holes.at(-1)
    if (last && holes.length >= HOLES_PER_INSTRUMENT_MAX) {
      last.from = Math.min(last.from, from)
      last.to = Math.max(last.to, to)
    } else holes.push({ instrument, from, to, cause, fromUs, toUs: nowUs })
  }

  #fill(sequence: Sequence, seq: number): void {
    const holes = sequence.holes ?? []
    const at = holes.findIndex(({ from, to }) => seq >= from && seq <= to)
    const hole = holes[at]
    if (!hole) return
    const rest = [
      { ...hole, to: seq - 1 },
      { ...hole, from: seq + 1 },
    ].filter(({ from, to }) => from <= to)
    holes.splice(at, 1, ...rest)
    if (holes.length > 0) return
    sequence.holes = undefined
    this.#withHoles.delete(sequence)
  }
}
