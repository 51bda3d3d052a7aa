import { SeqRanges, type SeqRange } from '../platform/seq-ranges.js'

/** Hostile names must not fill the memory; more instruments than trade at any time. */
const INSTRUMENTS_MAX = 200_000
/** Of so many instruments it is first looked which are over; then whenever there are twice as many as were left. */
const FORGET_FROM = 1000
/** Trades of an instrument may still be asked for so long after its end. */
const OVER_FOR_MS = 2 * 86_400_000
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

/** A trade as the exchange shows it, by stream or list. */
export interface NumberedTrade {
  seq: number
  /** When it was made, by the exchange's clock; 0 where unknown. */
  timestampMs: number
}

/** The numbers of an instrument's trades began anew. */
export interface Renumbering {
  instrument: string
  lastSeq: number
  firstSeq: number
  /** Receive stamps: of the last trade before, and of what showed it. */
  fromUs: number
  toUs: number
}

/** So many newer trades with lower numbers are a new sequence. */
const SEVERAL = 3
/** A trade is newer than what came at a time if it was made so much later: clocks differ. */
const NEWER_MS = 1000
/** The other connection brings its copies sooner: a known number that comes later may be another trade's. */
const COPIES_US = 10_000_000

interface Sequence {
  /** Every number from `first` to `last` has come or lies in a hole. */
  first: number
  last: number
  lastUs: number
  /** Undefined as long as nothing ever was missing. */
  holes: TradeHole[] | undefined
  /** When the first of its trades came, where one came. */
  startedUs?: number
  /** When the newest was made that is in a list; it may never come. */
  listedMs?: number
  /** Newer trades with lower numbers, as long as they are not several. */
  anew?: Anew | undefined
  /** The one before this, and between which times the exchange made the first trade of this. */
  before?: { sequence: Sequence; fromMs: number; untilMs: number }
}

interface Anew {
  numbers: Set<number>
  came: SeqRanges
  sinceMs: number
  newestMs: number
}

/**
 * The trades of every instrument over all connections: `trade_seq` counts up by one per instrument. Trades may come out
 * of order and more than once. A hole stays until trades fill it or until it is taken to be asked for.
 */
export class TradeSequences {
  readonly #sequences = new Map<string, Sequence>()
  readonly #withHoles = new Set<Sequence>()
  readonly #renumberings: Renumbering[] = []
  readonly #expiryMsOf: (instrument: string) => number
  #heardUs = -Infinity
  #passed = 0
  #forgetAt = FORGET_FROM

  /** @param expiryMsOf when an instrument is over, ms since the epoch; `Infinity` where it never is */
  constructor(expiryMsOf: (instrument: string) => number = () => Infinity) {
    this.#expiryMsOf = expiryMsOf
  }

  /** Instruments that are known. */
  get size(): number {
    return this.#sequences.size
  }

  /** Numbers that this run came by, those included that are missing or were missing. */
  get passed(): number {
    return this.#passed
  }

  /** When the last trade of an instrument came. */
  lastUsOf(instrument: string): number | undefined {
    return this.#sequences.get(instrument)?.lastUs
  }

  /** When the first of an instrument's trades came to this run; Infinity where none did. */
  startedUsOf(instrument: string): number {
    return this.#sequences.get(instrument)?.startedUs ?? Infinity
  }

  /** From when the first trade is that is known of numbers that began anew: how many were made before is not known. */
  begunAnewUs(instrument: string): number | undefined {
    const { before } = this.#sequences.get(instrument) ?? {}
    return before && before.untilMs * 1000
  }

  /**
   * A trade came.
   * @param first where one frame stands for several trades: the number of the first of them
   * @returns whether its number is strange: it may be of a new sequence, which only `doubt` can decide
   */
  see(instrument: string, seq: number, recvUs: number, first = seq): boolean {
    const sequence = this.#sequences.get(instrument)
    if (sequence === undefined) {
      const started = this.#start(instrument, first, seq, recvUs)
      started.startedUs = recvUs
      this.#passed += seq - first + 1
      return false
    }
    if (seq > sequence.last) {
      if (isLateCopy(sequence, seq, recvUs)) return false
      if (first > sequence.last + 1)
        this.#open(sequence, instrument, { from: sequence.last + 1, to: first - 1 }, 'a later trade came', recvUs)
      else this.#fill(sequence, first, sequence.last)
      this.#passed += seq - sequence.last
      sequence.last = seq
      sequence.lastUs = recvUs
      sequence.anew = undefined
      return false
    }
    if (seq === sequence.first - 1) {
      sequence.first = first
      return false
    }
    // Older than all that is known: what lies between may never have been ours to have.
    if (seq < sequence.first) return true
    if (this.#fill(sequence, first, seq)) return false
    return recvUs - sequence.lastUs > COPIES_US
  }

  /**
   * Looks at a trade with a strange number: several that were made after the last one that came are a new sequence.
   * @param came false where it is only known from a list
   */
  doubt(instrument: string, { seq, timestampMs }: NumberedTrade, nowUs: number, came = true): void {
    const old = this.#sequences.get(instrument)
    if (!old || !isStrange({ seq, timestampMs }, old)) return
    const isLower = old.anew !== undefined && seq < Math.min(...old.anew.numbers)
    if (isLower && timestampMs > (old.anew?.newestMs ?? 0)) old.anew = undefined
    const anew = (old.anew ??= { numbers: new Set(), came: new SeqRanges(), sinceMs: timestampMs, newestMs: 0 })
    anew.numbers.add(seq)
    if (came) anew.came.add(seq)
    anew.sinceMs = Math.min(anew.sinceMs, timestampMs)
    anew.newestMs = Math.max(anew.newestMs, timestampMs)
    if (anew.numbers.size < SEVERAL) return
    const first = Math.min(...anew.numbers)
    const last = Math.max(...anew.numbers)
    const { lastUs: fromUs } = old
    this.#begin(instrument, old, { first, last, lastUs: nowUs, holes: undefined, startedUs: anew.sinceMs * 1000 })
    const sequence = this.#sequences.get(instrument)
    if (!sequence) return
    for (const hole of anew.came.missing({ from: first, to: last }))
      this.#open(sequence, instrument, hole, 'a later trade came', nowUs, fromUs)
  }

  /** A new sequence takes the place of one that is over; holes of the old one are still asked for. */
  #begin(instrument: string, old: Sequence, next: Sequence): void {
    delete old.before
    const { last: lastSeq, lastUs: fromUs } = old
    const untilMs = (next.startedUs ?? 0) / 1000
    // Between the last one that came and the first it is not known when they began anew.
    const fromMs = Math.min(fromUs / 1000, untilMs)
    this.#sequences.set(instrument, { ...next, before: { sequence: old, fromMs, untilMs } })
    this.#renumberings.push({ instrument, lastSeq, firstSeq: next.first, fromUs, toUs: next.lastUs })
  }

  /** Instruments whose numbers began anew since the last call. */
  takeRenumberings(): Renumbering[] {
    return this.#renumberings.splice(0)
  }

  /** Instruments of which trades came since the last call. */
  takeHeard(): Set<string> {
    const sinceUs = this.#heardUs
    const heard = new Set<string>()
    for (const [instrument, { lastUs }] of this.#sequences) {
      if (lastUs > sinceUs) heard.add(instrument)
      this.#heardUs = Math.max(this.#heardUs, lastUs)
    }
    return heard
  }

  /** The exchange lists these trades of an instrument: they should have come. Each sequence is taken by itself. */
  listed(instrument: string, rows: readonly NumberedTrade[], nowUs: number): void {
    const ordered = [...rows].sort((a, b) => a.timestampMs - b.timestampMs || a.seq - b.seq)
    const known = this.#sequences.get(instrument)
    if (known) correctStart(known, ordered)
    const { before } = known ?? {}
    const earlier = ordered.filter(row => known !== undefined && isOfTheOneBefore(row, known))
    if (before && earlier.length > 0) this.#listIn(before.sequence, instrument, rangeOf(earlier), nowUs)
    const own = lastSequence(ordered.filter(row => !earlier.includes(row)))
    const strange = own.filter(row => known && isStrange(row, known))
    for (const row of strange) this.doubt(instrument, row, nowUs, false)
    if (this.#sequences.get(instrument) !== known) return
    const possible = own.filter(row => !strange.includes(row) && !(known && isOfEarlier(row, known)))
    if (possible.length === 0) return
    this.list(instrument, rangeOf(possible), nowUs, (possible[0]?.timestampMs ?? 0) * 1000)
    const sequence = this.#sequences.get(instrument)
    // Listed once more they are not newer than all that is known.
    if (sequence) sequence.listedMs = Math.max(sequence.listedMs ?? 0, possible.at(-1)?.timestampMs ?? 0)
  }

  /**
   * The exchange says that it has these trades of an instrument, and all between: they should have come.
   * @param madeUs when the first of them was made
   */
  list(instrument: string, range: SeqRange, nowUs: number, madeUs = nowUs): void {
    const known = this.#sequences.get(instrument)
    const sequence = known ?? this.#start(instrument, range.from, range.from - 1, Math.min(nowUs, madeUs || nowUs))
    this.#listIn(sequence, instrument, range, nowUs, madeUs)
  }

  #listIn(sequence: Sequence, instrument: string, { from, to }: SeqRange, nowUs: number, madeUs = nowUs): void {
    const cause = 'the exchange lists trades that never came'
    const fromUs = Math.min(sequence.lastUs, nowUs, madeUs || nowUs)
    if (from < sequence.first) {
      this.#open(sequence, instrument, { from, to: sequence.first - 1 }, cause, nowUs, fromUs)
      sequence.first = from
    }
    if (to > sequence.last) {
      this.#open(sequence, instrument, { from: sequence.last + 1, to }, cause, nowUs, fromUs)
      this.#passed += to - sequence.last
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
    if (known && beganAnew(known, { first, last, lastUs })) {
      this.#begin(instrument, { first, last, lastUs, holes: undefined }, known)
      return
    }
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

  #start(instrument: string, first: number, last: number, lastUs: number): Sequence {
    if (this.#sequences.size >= this.#forgetAt) this.#forget(lastUs)
    const sequence: Sequence = { first, last, lastUs, holes: undefined }
    this.#sequences.set(instrument, sequence)
    return sequence
  }

  /** Forgets instruments that are over, and of too many those that are silent for longest: what is new is always watched. */
  #forget(nowUs: number): void {
    const isOver = (instrument: string) => this.#expiryMsOf(instrument) + OVER_FOR_MS < nowUs / 1000
    for (const [instrument, sequence] of this.#sequences)
      if (!this.#withHoles.has(sequence) && isOver(instrument)) this.#sequences.delete(instrument)
    if (this.#sequences.size >= INSTRUMENTS_MAX) {
      const bySilence = [...this.#sequences].sort(([, a], [, b]) => a.lastUs - b.lastUs)
      for (const [instrument, sequence] of bySilence.slice(0, INSTRUMENTS_MAX / 10)) {
        this.#sequences.delete(instrument)
        this.#withHoles.delete(sequence)
      }
    }
    this.#forgetAt = Math.min(INSTRUMENTS_MAX, Math.max(FORGET_FROM, 2 * this.#sequences.size))
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

  /** These came; returns whether any of them lay in a hole. */
  #fill(sequence: Sequence, first: number, seq: number): boolean {
    const { holes } = sequence
    if (!holes?.some(({ from, to }) => seq >= from && first <= to)) return false
    sequence.first = Math.min(first, sequence.first)
    const rest = holes.flatMap(hole => [
      { ...hole, to: Math.min(hole.to, first - 1) },
      { ...hole, from: Math.max(hole.from, seq + 1) },
    ])
    const left = rest.filter(({ from, to }) => from <= to)
    sequence.holes = left.length > 0 ? left : undefined
    if (left.length === 0) this.#withHoles.delete(sequence)
    return true
  }
}

/**
 * Whether what came since has lower numbers because they began anew while no recorder ran: none of them is among those that
 * were recorded, or it came too late for a copy.
 */
function beganAnew(known: Sequence, recorded: Pick<Sequence, 'first' | 'last' | 'lastUs'>): boolean {
  const isBelowAll = known.last < recorded.first
  return known.last < recorded.last && known.lastUs > recorded.lastUs + (isBelowAll ? NEWER_MS * 1000 : COPIES_US)
}

/** Whether a trade was made after the last one of a sequence came, and after those that were only listed. */
const isNewer = (timestampMs: number, { lastUs, listedMs = -Infinity }: Sequence) =>
  timestampMs > Math.max(lastUs / 1000, listedMs) + NEWER_MS

/** Whether a number is none that a sequence had still to come to, nor one from before it was known: of a new one, it seems. */
function isStrange({ seq, timestampMs }: NumberedTrade, sequence: Sequence): boolean {
  const { first, last, startedUs } = sequence
  if (seq > last) return false
  // Numbers count up: what has a lower one than the first that came was made before it.
  const isBehindFirst = seq < first && startedUs !== undefined && timestampMs > startedUs / 1000 + NEWER_MS
  return isBehindFirst || isNewer(timestampMs, sequence)
}

/** Whether a trade is of the sequence before; around the moment when the numbers began anew the nearer number decides. */
function isOfTheOneBefore({ seq, timestampMs }: NumberedTrade, sequence: Sequence): boolean {
  const { before } = sequence
  if (before === undefined) return false
  const isAround = timestampMs >= before.fromMs - NEWER_MS && timestampMs <= before.untilMs + NEWER_MS
  return isAround ? isNearerToBefore(seq, sequence, before.sequence) : timestampMs < before.untilMs
}

const isNearerToBefore = (seq: number, now: Sequence, before: Sequence) =>
  Math.abs(seq - before.last) < Math.min(Math.abs(seq - now.first), Math.abs(seq - now.last))

/** Whether it is a copy, or a late one, of a trade of the sequence before: another connection may be slower. */
const isLateCopy = (sequence: Sequence, seq: number, recvUs: number) =>
  sequence.before !== undefined &&
  seq <= sequence.before.sequence.last &&
  recvUs - sequence.before.untilMs * 1000 <= COPIES_US &&
  isNearerToBefore(seq, sequence, sequence.before.sequence)

/** After a standstill a sequence's first trade was received long after it was made: the list says when that was. */
function correctStart(sequence: Sequence, rows: readonly NumberedTrade[]): void {
  const madeMs = rows.find(({ seq }) => seq === sequence.first)?.timestampMs ?? 0
  if (madeMs > 0 && sequence.startedUs !== undefined) sequence.startedUs = Math.min(sequence.startedUs, madeMs * 1000)
}

/** Whether a trade was made before the first of a sequence came, with a number above its last: it is of an older one. */
const isOfEarlier = ({ seq, timestampMs }: NumberedTrade, { last, startedUs }: Sequence) =>
  startedUs !== undefined && seq > last && timestampMs > 0 && timestampMs < startedUs / 1000 - NEWER_MS

function rangeOf(rows: readonly NumberedTrade[]): SeqRange {
  const seqs = rows.map(({ seq }) => seq)
  return { from: Math.min(...seqs), to: Math.max(...seqs) }
}

/** Of trades by time, those since the numbers last began anew: behind it several, and all, are lower than all before. */
function lastSequence(rows: readonly NumberedTrade[]): readonly NumberedTrade[] {
  const lowestBefore: number[] = []
  for (const [at, { seq }] of rows.entries()) lowestBefore.push(Math.min(seq, lowestBefore[at - 1] ?? Infinity))
  let highest = -Infinity
  for (let at = rows.length - 1; at > 0; at--) {
    highest = Math.max(highest, rows[at]?.seq ?? -Infinity)
    if (rows.length - at >= SEVERAL && highest < (lowestBefore[at - 1] ?? -Infinity)) return rows.slice(at)
  }
  return rows
}
