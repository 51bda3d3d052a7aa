import {
  coveredFamilies,
  expiryMsOf,
  isAbout,
  kinds,
  tableOfFamily,
  type CoveredFamily,
  type Kind,
} from './channel-target.js'
import type { CoverageFacts, HourRows } from './facts.js'
import { groupBy } from '../platform/group-by.js'
import { concerns, intervalsOf, type Interval } from './intervals.js'
import { clip, lengthUs, unionOf, wholeSeconds, without, type Span } from '../platform/spans.js'
import { promisedOf, type Promised } from './promised.js'
import { subscriptionsOf } from '../formats/journal/subscriptions.js'
import { greatest, least } from '../platform/extremes.js'

export type Verdict = '✅' | '⚠️' | '❌' | '–'

/** One line of the report: what was promised by facts, and what is here. */
export interface CoverageLine {
  data: string
  /** The Parquet table. */
  table: string
  kind: Kind
  /** Of a report by hour: its begin, µs since the epoch. */
  hourUs?: number
  /** Of a report by instrument. */
  name?: string
  /** Instruments or indices that have rows, of those that there were; undefined where no fact says how many. */
  seen: number
  live: number | undefined
  rows: number
  /** Over the time in which it was wanted. */
  rowsPerMinute: number
  /** The longest time without a row of any instrument. */
  silence: Span | undefined
  /** How much was counted against a sequence, and of what. */
  counted: { unit: string; expected: number; actual: number } | undefined
  /** Gaps that concern it; of those, how many are filled. */
  gaps: number
  filled: number
  /** 0 to 1; never 1 where anything is known to be missing. Undefined where no fact says what to expect. */
  complete: number | undefined
  verdict: Verdict
}

export interface Coverage {
  /** What was asked about, up to where anything is known. */
  window: Span
  /** When anything was to be recorded. */
  spans: Span[]
  lines: CoverageLine[]
  /** All of the window, by their begin. */
  intervals: Interval[]
  /** What was to come, channel by channel. */
  promised: readonly Promised[]
  /** Frames by family, as the manifests count them. */
  frames: ReadonlyMap<string, number>
}

export interface Question {
  window: Span
  by?: 'hour' | 'instrument' | undefined
  /** Families to record, by kind, as the config has them: what never came is told, too. */
  expected?: Readonly<Partial<Record<Kind, readonly string[]>>> | undefined
}

/** All is there; from here on much is missing. */
const MUCH_MISSING = 0.95
/** What comes once a second may come a little less often. */
const TICKS = 0.999
const HOUR_US = 3_600_000_000

/** ✅ only where nothing is known to be missing; ❌ below 95 %; – where no fact says what to expect. */
export function verdictOf(complete: number | undefined): Verdict {
  if (complete === undefined) return '–'
  return complete === 1 ? '✅' : complete >= MUCH_MISSING ? '⚠️' : '❌'
}

/** What a line is about, and when. */
interface Slice {
  span: Span
  hourUs?: number
  name?: string
}

/** Compares facts with facts. Pure. */
export function assess(facts: CoverageFacts, { window, by, expected = {} }: Question): Coverage {
  const subscriptions = subscriptionsOf(facts.entries, expiryMsOf)
  const all = [...intervalsOf(facts.entries, subscriptions), ...facts.quarantined, ...facts.segments.intervals]
  const intervals = all
    .filter(({ fromUs, toUs }) => fromUs < window.toUs && toUs >= window.fromUs)
    .map(one => ({ ...one, fromUs: Math.max(one.fromUs, window.fromUs), toUs: Math.min(one.toUs, window.toUs) }))
    .sort((a, b) => a.fromUs - b.fromUs)
  const promised = promisedOf(subscriptions, intervals, window)
  const report = new Report(facts, promised, intervals, window, expected)
  const slices = by === 'hour' ? hoursOf(report.spans) : [{ span: window }]
  const lines = by === 'instrument' ? report.byInstrument() : slices.flatMap(slice => report.lines(slice))
  return { window, spans: report.spans, lines, intervals, promised, frames: facts.segments.frames }
}

function hoursOf(spans: readonly Span[]): Slice[] {
  const hours = new Set<number>()
  for (const { fromUs, toUs } of spans)
    for (let us = fromUs - (fromUs % HOUR_US); us < toUs; us += HOUR_US) hours.add(us)
  return [...hours].sort((a, b) => a - b).map(us => ({ hourUs: us, span: { fromUs: us, toUs: us + HOUR_US } }))
}

class Report {
  /** When anything was to be recorded. */
  readonly spans: Span[]
  readonly #facts: CoverageFacts
  readonly #intervals: readonly Interval[]
  readonly #window: Span
  readonly #expected: NonNullable<Question['expected']>
  /** By family and kind. */
  readonly #promised: Map<string, Promised[]>

  constructor(
    facts: CoverageFacts,
    promised: readonly Promised[],
    intervals: readonly Interval[],
    window: Span,
    expected: NonNullable<Question['expected']>,
  ) {
    this.#facts = facts
    this.#intervals = intervals
    this.#window = window
    this.#expected = expected
    this.spans = unionOf(promised.flatMap(({ wanted }) => wanted))
    const keyed = promised.flatMap(one => one.target.kinds.map(kind => ({ key: `${one.target.family} ${kind}`, one })))
    this.#promised = new Map(
      [...groupBy(keyed, ({ key }) => key)].map(([key, list]) => [key, list.map(({ one }) => one)]),
    )
  }

  lines(slice: Slice): CoverageLine[] {
    return coveredFamilies.flatMap(line =>
      kinds.flatMap(kind => [...this.#line(line, kind, slice), ...this.#parts(line, kind, slice)]),
    )
  }

  byInstrument(): CoverageLine[] {
    return coveredFamilies.flatMap(line =>
      kinds.flatMap(kind => {
        const promised = this.#of(line.family, kind).flatMap(({ target }) => target.name ?? [])
        const names = new Set([...promised, ...this.#rowsOf(line, kind).map(({ name }) => name)])
        return [...names].sort().flatMap(name => this.#line(line, kind, { span: this.#window, name }))
      }),
    )
  }

  /** The config asks for it, and the exchange lists such instruments as far as its lists are here. */
  #isExpected(family: string, kind: Kind): boolean {
    const { live } = this.#facts
    const exists = kind === 'index' || live.length === 0 || live.some(one => one.kind === kind)
    return exists && this.#expected[kind]?.includes(family) === true
  }

  #of(family: string, kind: Kind): Promised[] {
    return this.#promised.get(`${family} ${kind}`) ?? []
  }

  #rowsOf({ family }: CoveredFamily, kind: Kind) {
    const table = tableOfFamily(family)
    return this.#facts.names.filter(row => row.table === table && row.kind === kind)
  }

  #line(line: CoveredFamily, kind: Kind, slice: Slice): CoverageLine[] {
    const { span, hourUs, name } = slice
    const promised = this.#of(line.family, kind).filter(
      ({ target, wanted }) => (name === undefined || isAbout(target, kind, name)) && clip(wanted, span).length > 0,
    )
    const hours = this.#hoursOf(line, kind, hourUs)
    const names = this.#rowsOf(line, kind).filter(row => name === undefined || row.name === name)
    const rows = (name === undefined ? hours : names).reduce((sum, { rows }) => sum + rows, 0)
    const isExpected = name === undefined && hourUs === undefined && this.#isExpected(line.family, kind)
    if (promised.length === 0 && rows === 0 && !isExpected) return []

    const wanted = unionOf(promised.flatMap(({ wanted }) => clip(wanted, span)))
    const touching = this.#touching(line.family, kind, promised, slice)
    const counted = this.#counted(line, kind, promised, slice)
    const firsts =
      line.first && hourUs === undefined ? firstsOf(promised, new Set(names.map(row => row.name)), span) : 1
    const live = hourUs === undefined ? this.#live(promised, kind, name) : undefined
    const seconds = lengthUs(wanted) / 1e6
    const complete =
      promised.length === 0
        ? isExpected
          ? 0
          : undefined
        : completeOf([timeShare(promised, span), countedShare(line, counted), firsts], touching)
    return [
      {
        data: line.data,
        table: tableOfFamily(line.family),
        kind,
        ...(hourUs === undefined ? {} : { hourUs }),
        ...(name === undefined ? {} : { name }),
        seen: hourUs === undefined ? names.length : (hours[0]?.seen ?? 0),
        live,
        rows,
        rowsPerMinute: seconds === 0 ? 0 : (60 * rows) / seconds,
        silence: name === undefined ? this.#silence(line, kind, wanted, span) : undefined,
        counted,
        gaps: touching.length,
        filled: touching.filter(({ filled }) => filled !== false).length,
        complete,
        verdict: verdictOf(complete),
      },
    ]
  }

  /** Parts of the ticker that each instrument with a ticker has. */
  #parts({ family }: CoveredFamily, kind: Kind, { hourUs }: Slice): CoverageLine[] {
    if (family !== 'ticker' || hourUs !== undefined) return []
    const [ticker] = this.#line({ data: 'ticker', family, first: true }, kind, { span: this.#window })
    if (!ticker) return []
    return this.#facts.tickerParts
      .filter(part => part.kind === kind)
      .map(({ part, names }) => {
        const share = ticker.seen === 0 ? 0 : names.length / ticker.seen
        const complete = ticker.complete === undefined ? undefined : Math.min(ticker.complete, share)
        const counted = { unit: 'instruments', expected: ticker.seen, actual: names.length }
        return { ...ticker, data: part, seen: names.length, counted, complete, verdict: verdictOf(complete) }
      })
  }

  #hoursOf({ family }: CoveredFamily, kind: Kind, hourUs: number | undefined): HourRows[] {
    const table = tableOfFamily(family)
    return this.#facts.hours.filter(
      row => row.table === table && row.kind === kind && (hourUs === undefined || row.hourUs === hourUs),
    )
  }

  /** Intervals that concern any of the channels. */
  #touching(family: string, kind: Kind, promised: readonly Promised[], { span, name }: Slice): Interval[] {
    return this.#intervals.filter(interval => {
      const { fromUs, toUs, instrument, families } = interval
      if (fromUs >= span.toUs || toUs < span.fromUs) return false
      if (families.length > 0 && !families.includes(family)) return false
      if (name !== undefined && instrument !== undefined && instrument !== name) return false
      return promised.some(
        ({ target, subscriptions }) =>
          (instrument === undefined || isAbout(target, kind, instrument)) &&
          subscriptions.some(subscription => concerns(interval, target, subscription)),
      )
    })
  }

  #counted({ counted: spec }: CoveredFamily, kind: Kind, promised: readonly Promised[], slice: Slice) {
    if (!spec) return undefined
    const { span, hourUs, name } = slice
    const own = this.#facts.counted.filter(
      one =>
        one.what === spec.what &&
        one.kind === kind &&
        (hourUs === undefined || one.hourUs === hourUs) &&
        (name === undefined || one.name === name),
    )
    if (spec.what !== 'seconds') {
      if (own.length === 0) return undefined
      const expected = own.reduce((sum, one) => sum + (one.expected ?? 0), 0)
      return { unit: spec.unit, expected, actual: own.reduce((sum, { actual }) => sum + actual, 0) }
    }
    let [expected, actual] = [0, 0]
    for (const { target, wanted } of promised) {
      const seconds = wholeSeconds(clip(wanted, span))
      const found = own.filter(one => one.name === target.name).reduce((sum, one) => sum + one.actual, 0)
      expected += seconds
      // More of one index does not make up for less of another.
      actual += Math.min(seconds, found)
    }
    return { unit: spec.unit, expected, actual }
  }

  /** How many there were: by the channels where each is about one, else by the exchange's lists. */
  #live(promised: readonly Promised[], kind: Kind, name: string | undefined): number | undefined {
    if (name !== undefined) return undefined
    const whole = promised.filter(({ target }) => target.name === undefined)
    if (promised.length === 0) return undefined
    if (whole.length === 0) return promised.length
    const listed = this.#facts.live.filter(
      one => one.kind === kind && whole.some(({ target }) => isAbout(target, kind, one.name)),
    )
    return listed.length === 0 ? undefined : listed.length
  }

  #silence(line: CoveredFamily, kind: Kind, wanted: readonly Span[], span: Span): Span | undefined {
    const hours = this.#hoursOf(line, kind, undefined)
    const [first, last] = [wanted[0], wanted.at(-1)]
    const firstUs = least(hours.map(({ fromUs }) => fromUs))
    const lastUs = greatest(hours.map(({ toUs }) => toUs))
    const edges =
      first && last
        ? hours.length === 0
          ? [{ fromUs: first.fromUs, toUs: last.toUs }]
          : [
              { fromUs: first.fromUs, toUs: firstUs },
              { fromUs: lastUs, toUs: last.toUs },
            ]
        : []
    const silences = clip([...hours.flatMap(({ silence }) => silence ?? []), ...edges], span)
    return silences.reduce<Span | undefined>(
      (longest, one) => (!longest || one.toUs - one.fromUs > longest.toUs - longest.fromUs ? one : longest),
      undefined,
    )
  }
}

/** Of all the time that the channels were wanted, the part in which they came without a gap. */
function timeShare(promised: readonly Promised[], span: Span): number {
  let [wantedUs, goodUs] = [0, 0]
  for (const { wanted, good } of promised) {
    const inSpan = clip(wanted, span)
    wantedUs += lengthUs(inSpan)
    goodUs += lengthUs(inSpan) - lengthUs(without(inSpan, good))
  }
  return wantedUs === 0 ? 1 : goodUs / wantedUs
}

function countedShare({ counted: spec }: CoveredFamily, counted: CoverageLine['counted']): number {
  if (!counted || counted.expected === 0) return 1
  const share = counted.actual / counted.expected
  return spec?.what === 'seconds' && share >= TICKS ? 1 : share
}

/** Channels that were subscribed in the span and brought nothing at all count as missing. */
function firstsOf(promised: readonly Promised[], seen: ReadonlySet<string>, span: Span): number {
  const named = promised.flatMap(({ target: { name }, subscriptions }) =>
    name === undefined
      ? []
      : [{ name, began: subscriptions.some(({ spans }) => spans.some(({ fromUs }) => fromUs >= span.fromUs)) }],
  )
  const here = named.filter(({ name }) => seen.has(name)).length
  const missing = named.filter(({ name, began }) => began && !seen.has(name)).length
  return missing === 0 ? 1 : here / (here + missing)
}

/** Anything that is known to be missing keeps it below 1. */
function completeOf(shares: readonly number[], touching: readonly Interval[]): number {
  const share = Math.max(0, least(shares))
  const isCounted = ({ gap, filled }: Interval) =>
    filled === false && (gap === 'quarantine' || gap === 'trade_hole' || gap === 'lost')
  return touching.some(isCounted) ? Math.min(share, ALMOST) : share
}

const ALMOST = 0.9999
