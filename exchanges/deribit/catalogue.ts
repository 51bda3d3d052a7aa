import type { PlanChange } from '../adapter.js'
import { parseInstrument, type Instrument } from './instruments.js'

/** States after which nothing more comes; those of before 2026 last. */
const GONE = new Set(['delivered', 'inactive', 'archivized', 'closed', 'deactivated', 'terminated'])
/** States in which an instrument can be subscribed. */
const ALIVE = new Set(['open', 'created', 'started'])
/** An instrument that is gone stays subscribed for this long: its last ticker and trades may come after the word. */
export const LINGER_MS = 10_000
/** A list can be this much older than a frame: the exchange caches it. Until then the frame is believed. */
const LIST_AGE_MS = 60_000
/** Names remembered as not asked for; more than an exchange lists in months. */
const FOREIGN_MAX = 50_000

/** Instruments that came and went. */
export type CatalogueChange = Pick<PlanChange, 'added' | 'removed'>

/** The instruments of the chosen currencies, by the exchange's list and by what its frames say since. */
export class Catalogue {
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

  constructor(isChosen: (instrument: Instrument) => boolean, nowMs: () => number = () => performance.now()) {
    this.#isChosen = isChosen
    this.#nowMs = nowMs
  }

  get instruments(): Instrument[] {
    return [...(this.#instruments?.values() ?? [])]
  }

  /** True when frames spoke of an instrument that only a list can tell about. */
  get needsList(): boolean {
    return this.#unknown.size > 0
  }

  /** Takes a whole list in place of what was known; the first one adds nothing. */
  replace(listed: readonly Instrument[]): CatalogueChange {
    const before = this.#instruments
    const now = new Map(listed.filter(this.#isChosen).map(instrument => [instrument.instrument_name, instrument]))
    for (const name of this.#unknown) if (!now.has(name)) this.#addForeign(name)
    this.#unknown.clear()
    if (before) this.#believeFrames(before, now)
    this.#instruments = now
    if (!before) return { added: [], removed: [] }
    const removed = [...before.keys()].filter(name => !now.has(name))
    for (const name of removed) this.#leaving.delete(name)
    return {
      added: [...now.keys()].filter(name => !before.has(name)),
      removed: removed.length > 0 ? [{ instruments: removed, reason: 'not listed any more' }] : [],
    }
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

  /** Takes the `data` of a frame of `instrument.creation` or `instrument.state`. */
  hear(data: unknown): void {
    if (typeof data !== 'object' || data === null || !('instrument_name' in data)) return
    const { instrument_name: name } = data
    if (typeof name !== 'string') return
    const state = 'state' in data && typeof data.state === 'string' ? data.state : ''
    if (GONE.has(state)) this.#hearGone(name, state)
    else this.#hearAlive(name, ALIVE.has(state), parseInstrument(data))
  }

  #hearGone(name: string, reason: string): void {
    this.#arrived.delete(name)
    this.#unknown.delete(name)
    if (this.#leaving.has(name) || this.#instruments?.has(name) !== true) return
    this.#leaving.set(name, { reason, atMs: this.#nowMs() + LINGER_MS })
  }

  #hearAlive(name: string, isOpen: boolean, definition: Instrument | undefined): void {
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
    return added.length > 0 || removed.length > 0 ? { added, removed } : undefined
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

/** The `data` of a notification, for `hear`; undefined where it is none. The few frames about instruments are parsed. */
export function newsOf(frame: Buffer): unknown {
  try {
    const message = JSON.parse(frame.toString('utf8')) as { params?: { data?: unknown } } | null
    return message?.params?.data
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}
