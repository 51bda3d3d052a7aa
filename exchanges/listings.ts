import { EdgeError } from '../platform/edge-error.js'
import type { PlanChange } from './adapter.js'

/** An instrument that is gone stays subscribed for this long: its last ticker and trades may come after the word. */
export const LINGER_MS = 10_000
/** A list can be this much older than a frame: the exchange caches it. Until then the frame is believed. */
const LIST_AGE_MS = 60_000
/** Names remembered as not asked for; more than an exchange lists in months. */
const FOREIGN_MAX = 50_000

/** So many lists in a row must lack a silent instrument before it is given up: one list may be short. */
const LISTS_WITHOUT = 3

/** An instrument that was listed so long ago, ms, was to be recorded meanwhile. */
const UNHEARD_MS = 3000

/** Instruments that came and went. */
export type CatalogueChange = Pick<PlanChange, 'added' | 'removed' | 'returned'>

/** What else is known when a list comes. */
export interface ListFacts {
  /** Instruments that the exchange lists as not active, with their states. */
  inactive?: ReadonlyMap<string, string>
  /** Whether frames about an instrument came since the list before. */
  isHeard?: (name: string) => boolean
}

/** What must be known of an instrument to keep it in a list. */
export interface Listed {
  readonly instrument_name: string
  /** When it ends, ms since the epoch; without it nothing says so. */
  readonly expiration_timestamp?: number | undefined
  /** When it began, ms since the epoch. */
  readonly creation_timestamp?: number | undefined
}

export interface CatalogueClocks {
  /** Of time that passes, ms. */
  nowMs: () => number
  /** Of the wall, ms since the epoch. */
  wallMs: () => number
}

const CLOCKS: CatalogueClocks = { nowMs: () => performance.now(), wallMs: () => Date.now() }

/** The instruments that are asked for, by the exchange's list and by what its frames say since. */
export class Listings<Instrument extends Listed> {
  readonly #isChosen: (instrument: Instrument) => boolean
  readonly #nowMs: () => number
  #instruments: Map<string, Instrument> | undefined
  /** Heard of and not yet settled: those that came, and those that go at a time. */
  readonly #arrived = new Map<string, Instrument>()
  readonly #leaving = new Map<string, { reason: string; atMs: number }>()
  /** When a frame last decided about an instrument. */
  readonly #decidedMs = new Map<string, number>()
  readonly #foreign = new Set<string>()
  readonly #unknown = new Set<string>()
  /** Not listed and not given up yet: how many lists in a row lack it, without a frame about it. */
  readonly #absent = new Map<string, number>()
  /** Given up though the exchange never said that they ended, and when. */
  readonly #givenUpMs = new Map<string, number>()
  readonly #wallMs: () => number
  /** When the last list came, by the wall. */
  #listedMs = Infinity
  readonly #ends: { isOver: (state: string) => boolean; expiryMsOf: (name: string) => number }

  /** @param ends whether nothing more comes of what is listed in a state, and when what has such a name ends */
  constructor(
    isChosen: (instrument: Instrument) => boolean,
    ends: { isOver: (state: string) => boolean; expiryMsOf: (name: string) => number },
    { nowMs, wallMs }: CatalogueClocks = CLOCKS,
  ) {
    this.#isChosen = isChosen
    this.#ends = ends
    this.#nowMs = nowMs
    this.#wallMs = wallMs
  }

  get instruments(): Instrument[] {
    return [...(this.#instruments?.values() ?? [])]
  }

  /** True when frames named an instrument that only a list can describe. */
  get needsList(): boolean {
    return this.#unknown.size > 0
  }

  /**
   * Takes a whole list in place of what was known; the first one adds nothing. A list may lack what goes on trading: an
   * instrument goes when it is past its expiry, when its state says so, or when it is silent and several lists lack it.
   */
  replace(listed: readonly Instrument[], facts: ListFacts = {}): CatalogueChange {
    const before = this.#instruments
    const now = new Map(listed.filter(this.#isChosen).map(instrument => [instrument.instrument_name, instrument]))
    for (const name of this.#unknown) if (!now.has(name)) this.#addForeign(name)
    this.#unknown.clear()
    for (const name of now.keys()) this.#absent.delete(name)
    if (before) this.#believeFrames(before, now)
    this.#instruments = now
    const listedMs = this.#listedMs
    this.#listedMs = this.#wallMs()
    if (!before) return { added: [], removed: [] }
    const removed = this.#dropOrKeep(before, now, facts)
    const added = [...now.keys()].filter(name => !before.has(name))
    const unheard = this.#unheard(added, now, listedMs)
    return { added, removed, ...withUnheard(this.#welcomeBack(added), unheard) }
  }

  /** Those that were listed a while ago, since the last list, and that no frame named. */
  #unheard(added: readonly string[], now: ReadonlyMap<string, Instrument>, listedMs: number): Returned {
    const nowMs = this.#wallMs()
    return added.flatMap(instrument => {
      const sinceMs = now.get(instrument)?.creation_timestamp ?? nowMs
      if (nowMs - sinceMs < UNHEARD_MS || sinceMs < listedMs - LIST_AGE_MS || this.#givenUpMs.has(instrument)) return []
      return [{ instrument, awayMs: nowMs - sinceMs, cause: 'listed, and nobody heard of it' }]
    })
  }

  #dropOrKeep(
    before: ReadonlyMap<string, Instrument>,
    now: Map<string, Instrument>,
    facts: ListFacts,
  ): CatalogueChange['removed'] {
    const byReason = new Map<string, string[]>()
    for (const [name, instrument] of before) {
      if (now.has(name)) continue
      const reason = this.#whyGone(instrument, facts)
      if (reason === undefined) {
        now.set(name, instrument)
        continue
      }
      this.#absent.delete(name)
      this.#leaving.delete(name)
      byReason.set(reason, [...(byReason.get(reason) ?? []), name])
    }
    return [...byReason].map(([reason, instruments]) => ({ instruments, reason }))
  }

  /** Why an instrument that is not listed is gone; undefined as long as it may just be left out. */
  #whyGone(instrument: Instrument, { inactive, isHeard }: ListFacts): string | undefined {
    const name = instrument.instrument_name
    const state = inactive?.get(name)
    if (state !== undefined && this.#ends.isOver(state)) return state
    if ((instrument.expiration_timestamp ?? this.#ends.expiryMsOf(name)) <= this.#wallMs()) return 'expired'
    const lists = isHeard?.(name) === true ? 1 : (this.#absent.get(name) ?? 0) + 1
    this.#absent.set(name, lists)
    if (lists < LISTS_WITHOUT) return undefined
    if (this.#givenUpMs.size >= FOREIGN_MAX) this.#givenUpMs.clear()
    this.#givenUpMs.set(name, this.#nowMs())
    return 'not listed any more'
  }

  /** Those among these that were given up too soon. */
  #welcomeBack(added: readonly string[]): Pick<CatalogueChange, 'returned'> {
    const returned = added.flatMap(instrument => {
      const sinceMs = this.#givenUpMs.get(instrument)
      if (sinceMs === undefined) return []
      this.#givenUpMs.delete(instrument)
      return [{ instrument, awayMs: this.#nowMs() - sinceMs }]
    })
    return returned.length > 0 ? { returned } : {}
  }

  /** What a frame said in the last minute stands against a list. */
  #believeFrames(before: ReadonlyMap<string, Instrument>, now: Map<string, Instrument>): void {
    for (const [name, atMs] of this.#decidedMs) {
      if (this.#nowMs() - atMs > LIST_AGE_MS) {
        this.#decidedMs.delete(name)
        continue
      }
      const instrument = before.get(name)
      if (instrument) now.set(name, now.get(name) ?? instrument)
      else now.delete(name)
    }
  }

  /** A frame says that it is over. */
  hearGone(name: string, reason: string): void {
    this.#arrived.delete(name)
    this.#unknown.delete(name)
    if (this.#leaving.has(name) || this.#instruments?.has(name) !== true) return
    this.#leaving.set(name, { reason, atMs: this.#nowMs() + LINGER_MS })
  }

  /**
   * A frame speaks of one that is not over.
   * @param isOpen it can be subscribed
   * @param definition what the frame says of it, where it says all
   */
  hearAlive(name: string, isOpen: boolean, definition: Instrument | undefined): void {
    if (isOpen) this.#leaving.delete(name)
    if (this.#instruments?.has(name) === true || this.#arrived.has(name)) return
    if (definition && this.#isChosen(definition)) {
      this.#arrived.set(name, definition)
      this.#unknown.delete(name)
    } else if (definition) {
      this.#addForeign(name)
      this.#unknown.delete(name)
    } else if (isOpen && !this.#foreign.has(name)) this.#unknown.add(name)
  }

  #addForeign(name: string): void {
    if (this.#foreign.size >= FOREIGN_MAX) this.#foreign.clear()
    this.#foreign.add(name)
  }

  /** What changed by what was heard; undefined for nothing, and before the first list. */
  settle(): CatalogueChange | undefined {
    const known = this.#instruments
    if (!known) return undefined
    const nowMs = this.#nowMs()
    const added = [...this.#arrived.keys()].filter(name => !known.has(name))
    for (const [name, instrument] of this.#arrived) {
      known.set(name, instrument)
      this.#decidedMs.set(name, nowMs)
    }
    this.#arrived.clear()
    const removed = this.#settleLeaving(known, nowMs)
    return added.length > 0 || removed.length > 0 ? { added, removed, ...this.#welcomeBack(added) } : undefined
  }

  #settleLeaving(known: Map<string, Instrument>, nowMs: number): CatalogueChange['removed'] {
    const byReason = new Map<string, string[]>()
    for (const [name, { reason, atMs }] of this.#leaving) {
      if (atMs > nowMs) continue
      this.#leaving.delete(name)
      this.#decidedMs.set(name, nowMs)
      if (known.delete(name)) byReason.set(reason, [...(byReason.get(reason) ?? []), name])
    }
    return [...byReason].map(([reason, instruments]) => ({ instruments, reason }))
  }
}

type Returned = NonNullable<CatalogueChange['returned']>

function withUnheard({ returned = [] }: Pick<CatalogueChange, 'returned'>, unheard: Returned) {
  const all = [...returned, ...unheard]
  return all.length > 0 ? { returned: all } : {}
}

/** An answer that should list instruments is something else. @param of whose they are */
export function noList(of: string, found: unknown): EdgeError {
  const type = found === null ? 'null' : typeof found
  return new EdgeError('INSTRUMENTS_NO_LIST', `the instruments of ${of} are ${type}, wanted a list`, {
    retry: true,
    hint: 'what was subscribed stays subscribed; the list is requested again',
  })
}
