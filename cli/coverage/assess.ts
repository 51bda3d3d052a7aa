import { kinds, tableOfFamily, targetOf, type Kind } from './channel-target.js'
import type { CoverageFacts, JournalGap } from './facts.js'
import { clip, unionOf, wholeSeconds, type Span } from './spans.js'
import { channelsOf, subscribedSpans } from './subscriptions.js'

export type Verdict = '✅' | '⚠️' | '❌' | '–'

/** One line of the report: what was promised by facts, and what is here. */
export interface CoverageLine {
  data: string
  kind: Kind
  /** What is counted: instruments, trades, changes, seconds. */
  unit: string
  expected: number | undefined
  actual: number
  verdict: Verdict
  rows: number
  rowsPerHour: number
}

export interface Coverage {
  /** When anything was subscribed at all, µs since the epoch. */
  spans: Span[]
  lines: CoverageLine[]
  gaps: JournalGap[]
  /** Channels that the exchange did not accept. */
  rejected: string[]
}

/** ✅ from 99.9 %, ⚠️ from 95 %, ❌ below and for nothing of something expected; – where no fact says what to expect. */
export function verdictOf(expected: number | undefined, actual: number): Verdict {
  if (expected === undefined || expected === 0) return '–'
  const share = actual / expected
  return share >= 0.999 ? '✅' : share >= 0.95 ? '⚠️' : '❌'
}

/** Families that send a first frame on subscribing, so that each instrument must have a row; in the report's order. */
const FIRST_FRAME = [
  { family: 'quote', data: 'quotes' },
  { family: 'book', data: 'book depth' },
  { family: 'book_grouped', data: 'grouped book' },
  { family: 'ticker', data: 'ticker' },
  { family: 'incremental_ticker', data: 'incremental ticker' },
  { family: 'perpetual', data: 'funding' },
  { family: 'deribit_price_ranking', data: 'index sources' },
  { family: 'deribit_price_statistics', data: 'index statistics' },
  { family: 'deribit_volatility_index', data: 'volatility index' },
  { family: 'estimated_expiration_price', data: 'expiry estimate' },
] as const

/** Compares facts with facts. Pure. */
export function assess(facts: CoverageFacts, window: Span): Coverage {
  const subscribed = new Map<string, Span[]>()
  for (const [channel, spans] of subscribedSpans(facts.events, facts.runEndsUs)) {
    const inside = clip(spans, window)
    if (inside.length > 0) subscribed.set(channel, inside)
  }
  const spans = unionOf([...subscribed.values()].flat())
  const report = new Report(facts, subscribed, spans)
  report.trades()
  for (const { family, data } of FIRST_FRAME) {
    report.firstFrames(family, data)
    if (family === 'book') report.bookChains()
    if (family === 'ticker') report.tickerParts()
  }
  report.everySecond('deribit_price_index', 'index price')
  report.counted('markprice.options', 'option marks')
  report.counted('chart.trades', 'candles')
  return { spans, lines: report.lines, gaps: gapsOf(facts, window), rejected: rejectedOf(facts, window) }
}

class Report {
  readonly lines: CoverageLine[] = []
  readonly #facts: CoverageFacts
  readonly #hours: number
  /** Family and kind → names promised; the name of a channel of a whole kind is undefined. */
  readonly #promised = new Map<string, Map<string | undefined, Span[]>>()

  constructor(facts: CoverageFacts, subscribed: ReadonlyMap<string, Span[]>, spans: readonly Span[]) {
    this.#facts = facts
    this.#hours = spans.reduce((sum, { fromUs, toUs }) => sum + (toUs - fromUs), 0) / 3_600_000_000
    for (const [channel, channelSpans] of subscribed) {
      const target = targetOf(channel)
      for (const kind of target?.kinds ?? []) {
        const key = `${target?.family ?? ''} ${kind}`
        const names = this.#promised.get(key) ?? new Map<string | undefined, Span[]>()
        this.#promised.set(key, names.set(target?.name, channelSpans))
      }
    }
  }

  /** Trades have numbers without holes: what lies between the first and the last seen must be here. */
  trades(): void {
    for (const kind of kinds) {
      const sequences = this.#facts.trades.filter(sequence => sequence.kind === kind)
      if (sequences.length === 0 && this.#namesOf('trades', kind) === undefined) continue
      const expected = sequences.reduce((sum, { inSequence }) => sum + inSequence, 0)
      const actual = sequences.reduce((sum, { distinct }) => sum + distinct, 0)
      this.#add('trades', kind, 'trades', 'trades', expected, actual)
    }
  }

  firstFrames(family: string, data: string): void {
    const table = tableOfFamily(family)
    for (const kind of kinds) {
      const promised = this.#namesOf(family, kind)
      const found = this.#found(table, kind)
      if (promised === undefined && found.size === 0) continue
      const expected = promised?.size
      const actual =
        promised === undefined ? found.size : [...promised.keys()].filter(name => found.has(name ?? '')).length
      this.#add(data, kind, table, kind === 'index' ? 'indices' : 'instruments', expected, actual)
    }
  }

  /** Each change of a book names the one before it. */
  bookChains(): void {
    for (const kind of kinds) {
      const chains = this.#facts.chains.filter(chain => chain.kind === kind)
      if (chains.length === 0) continue
      const expected = chains.reduce((sum, { changes }) => sum + changes, 0)
      const actual = chains.reduce((sum, { linked }) => sum + linked, 0)
      this.#add('book changes', kind, 'book', 'linked changes', expected, actual)
    }
  }

  tickerParts(): void {
    for (const { part, kind, instruments } of this.#facts.tickerParts) {
      const promised = this.#namesOf('ticker', kind)
      if (promised === undefined && instruments === 0) continue
      this.#add(part, kind, 'ticker', 'instruments', promised?.size, instruments)
    }
  }

  /** Comes once a second for each name, so that the seconds subscribed are what to expect. */
  everySecond(family: string, data: string): void {
    const table = tableOfFamily(family)
    for (const kind of kinds) {
      const promised = this.#namesOf(family, kind)
      const found = this.#found(table, kind)
      if (promised === undefined && found.size === 0) continue
      let expected = 0
      let actual = 0
      for (const [name, spans] of promised ?? []) {
        const seconds = wholeSeconds(spans)
        expected += seconds
        // More of one index does not make up for less of another.
        actual += Math.min(seconds, found.get(name ?? '') ?? 0)
      }
      this.#add(data, kind, table, 'seconds', promised === undefined ? undefined : expected, actual)
    }
  }

  /** No fact says how many there should be. */
  counted(family: string, data: string): void {
    const table = tableOfFamily(family)
    for (const kind of kinds) {
      const found = this.#found(table, kind)
      const unit = kind === 'index' ? 'indices' : 'instruments'
      if (found.size > 0) this.#add(data, kind, table, unit, undefined, found.size)
    }
  }

  #namesOf(family: string, kind: Kind): Map<string | undefined, Span[]> | undefined {
    return this.#promised.get(`${family} ${kind}`)
  }

  #found(table: string, kind: Kind): Map<string, number> {
    const found = new Map<string, number>()
    for (const row of this.#facts.instruments)
      if (row.table === table && row.kind === kind) found.set(row.name, (found.get(row.name) ?? 0) + row.rows)
    return found
  }

  #add(data: string, kind: Kind, table: string, unit: string, expected: number | undefined, actual: number): void {
    const rows = [...this.#found(table, kind).values()].reduce((sum, rows) => sum + rows, 0)
    const rowsPerHour = this.#hours > 0 ? Math.round(rows / this.#hours) : 0
    this.lines.push({ data, kind, unit, expected, actual, verdict: verdictOf(expected, actual), rows, rowsPerHour })
  }
}

function gapsOf({ events }: CoverageFacts, window: Span): JournalGap[] {
  return events.flatMap(({ run, event, detail }) => {
    const [fromUs, toUs] = [Number(detail['from_us']), Number(detail['to_us'])]
    if (event !== 'gap' || !(fromUs < window.toUs && toUs >= window.fromUs)) return []
    return [{ run, conn: String(detail['conn']), cause: String(detail['cause']), fromUs, toUs }]
  })
}

function rejectedOf({ events }: CoverageFacts, window: Span): string[] {
  const inside = events.filter(
    ({ event, recvUs }) => event === 'rejected' && recvUs >= window.fromUs && recvUs < window.toUs,
  )
  return [...new Set(inside.flatMap(({ detail }) => channelsOf(detail)))].sort()
}
