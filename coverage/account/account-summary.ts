import { familyOf, type Exchange } from '../../exchanges/exchange.js'
import { groupBy } from '../../platform/group-by.js'
import { clip, lengthUs, unionOf, type Span } from '../../platform/spans.js'
import { isLost, isWanted, type Account, type Channel, type StateSpan, type TradeCount } from './account.js'

/** One event that left something missing, whatever it concerned. */
export interface Loss extends Span {
  cause: string
  state: StateSpan['state']
  /** How long something was missing by it; of channels that lacked it one after the other, less than from begin to end. */
  lostUs: number
  channels: readonly Channel[]
}

/** What one sort of channels came to. */
export interface Line {
  /** What people call it. */
  data: string
  exchange: string
  family: string
  kind: string
  hourUs?: number
  about?: string
  channels: number
  /** Of the time in which it was to come and of which anything is known, 0 to 1; of trades, where they are counted. */
  complete: number | undefined
  /** Together over all its channels, µs. */
  wantedUs: number
  lostUs: number
  healedUs: number
  pendingUs: number
  /** Why most of it is missing. */
  cause?: string
}

export interface AccountSummary {
  window: Span
  /** Channels that were wanted at any moment. */
  channels: number
  /** When anything was to be recorded. */
  wanted: readonly Span[]
  /** When anything was missing, whatever it was. */
  lostUs: number
  losses: readonly Loss[]
  healed: readonly Loss[]
  pending: readonly Loss[]
  trades: readonly TradeCount[]
  /** Of so many channels there are files and no journal: whether anything is missing of them cannot be known. */
  claimed: number
  /** Of which exchanges anything was wanted. */
  exchanges: ReadonlySet<string>
  /** All that was to come ended then, as the recorders were stopped. */
  stoppedUs?: number
  /** By hour, made anew each time they are gone through: those of years would fill the memory. */
  lines: Iterable<Line>
  notOffered: Account['notOffered']
  /** Nothing is known to be missing, and something was recorded. */
  isComplete: boolean
  /** Nothing was recorded, for whatever reason. */
  isEmpty: boolean
}

export type By = 'hour' | 'instrument' | 'channel'
type Asked = (name: string) => Pick<Exchange, 'families'>

/** Of the whole span its lines are few. */
interface SummaryAtOnce extends AccountSummary {
  lines: readonly Line[]
}

/** What an account comes to, for people: the longest loss first. Pure. */
export function summaryOf(account: Account, exchangeNamed: Asked, by?: Exclude<By, 'hour'>): SummaryAtOnce
export function summaryOf(account: Account, exchangeNamed: Asked, by?: By): AccountSummary
export function summaryOf(account: Account, exchangeNamed: Asked, by?: By): AccountSummary {
  const { window, groups, trades, notOffered, stoppedUs } = account
  const wanted = groups.filter(({ spans }) => spans.some(isWanted))
  const losses = eventsOf(account, isLost)
  const channels = wanted.reduce((sum, group) => sum + group.channels.length, 0)
  return {
    window,
    channels,
    wanted: unionOf(wanted.flatMap(({ spans }) => spans.filter(isWanted))),
    lostUs: lengthUs(unionOf(groups.flatMap(({ spans }) => spans.filter(isLost)))),
    losses,
    healed: eventsOf(account, ({ state }) => state === 'healed'),
    pending: eventsOf(account, ({ state }) => state === 'not yet known'),
    trades,
    claimed: wanted.reduce((sum, { spans, channels }) => sum + (isClaimed(spans) ? channels.length : 0), 0),
    exchanges: new Set(wanted.flatMap(({ channels }) => channels.map(({ exchange }) => exchange))),
    ...(stoppedUs !== undefined && { stoppedUs }),
    lines: linesOf(account, exchangeNamed, by),
    notOffered,
    isComplete: losses.length === 0 && channels > 0,
    // Where no recorder ran at all, nothing was lost.
    isEmpty: !groups.some(({ spans }) => spans.some(({ state }) => state !== 'not recording')),
  }
}

/** Nothing but files says that it came. */
const isClaimed = (spans: readonly StateSpan[]) =>
  spans.some(isWanted) &&
  spans.every(span => !isWanted(span) || (span.state === 'recorded' && span.grade === 'claimed'))

/** Spans that touch, or nearly, and have one cause are one event, µs. */
const TOGETHER_US = 1_000_000

/** Spans as events: what began and ended together, for one cause, is one event. */
function eventsOf({ groups }: Account, isMeant: (span: StateSpan) => boolean): Loss[] {
  const found = groups.flatMap(({ spans, channels }) => spans.filter(isMeant).map(span => ({ span, channels })))
  const byCause = groupBy(found, ({ span: { state, cause, proof } }) => `${state} ${cause ?? proof ?? ''}`)
  const events = [...byCause.values()].flatMap(list => {
    const ordered = list.sort((a, b) => a.span.fromUs - b.span.fromUs)
    const events: { from: number; to: number; parts: typeof list }[] = []
    for (const part of ordered) {
      const last = events.at(-1)
      if (last && part.span.fromUs <= last.to + TOGETHER_US) {
        last.to = Math.max(last.to, part.span.toUs)
        last.parts.push(part)
      } else events.push({ from: part.span.fromUs, to: part.span.toUs, parts: [part] })
    }
    return events.flatMap(({ from, to, parts }): Loss[] => {
      const [first] = parts
      if (!first) return []
      const { state, cause, proof } = first.span
      const channels = [...new Set(parts.flatMap(({ channels }) => channels))]
      const lostUs = lengthUs(unionOf(parts.map(({ span }) => span)))
      return [{ fromUs: from, toUs: to, state, cause: cause ?? proof ?? state, lostUs, channels }]
    })
  })
  return events.sort((a, b) => b.lostUs - a.lostUs || a.fromUs - b.fromUs)
}

interface Sum {
  channels: number
  wantedUs: number
  lostUs: number
  healedUs: number
  pendingUs: number
  unprovenUs: number
  /** Known from files alone. */
  claimedUs: number
  causes: Map<string, number>
}

const HOUR_US = 3_600_000_000

type LineOf = Pick<Line, 'exchange' | 'family' | 'kind' | 'hourUs' | 'about'>

/** The lines that channels are summed up in, by what distinguishes them, and how many of the channels are in each. */
function sortsOf(channels: readonly Channel[], by: By | undefined): Map<string, { line: LineOf; count: number }> {
  const sorts = new Map<string, { line: LineOf; count: number }>()
  for (const { exchange, family, kind, about } of channels) {
    const isByName = by === 'instrument' || by === 'channel'
    const line = { exchange, family: by === 'instrument' ? '' : family, kind, ...(isByName && { about }) }
    const key = JSON.stringify(line)
    const known = sorts.get(key) ?? { line, count: 0 }
    known.count++
    sorts.set(key, known)
  }
  return sorts
}

function linesOf(account: Account, exchangeNamed: Asked, by: By | undefined): Iterable<Line> {
  const groups = account.groups.map(({ spans, channels }) => ({ spans, sorts: sortsOf(channels, by) }))
  const inOrder = orderOf(exchangeNamed)
  /** @param firsts of each group, the first span that is not over; spans follow one upon the other, as windows do */
  const linesWithin = (window: Span, firsts: number[], hourUs?: number): Line[] => {
    const sums = new Map<string, { line: LineOf; sum: Sum }>()
    for (const [index, { spans, sorts }] of groups.entries()) {
      let first = firsts[index] ?? 0
      while ((spans[first]?.toUs ?? Infinity) <= window.fromUs) first++
      firsts[index] = first
      const own = sumOf(spansWithin(spans, first, window))
      if (own.wantedUs === 0 && own.pendingUs === 0) continue
      for (const [key, { line, count }] of sorts) {
        const known = sums.get(key) ?? { line: { ...line, ...(hourUs !== undefined && { hourUs }) }, sum: emptySum() }
        sums.set(key, known)
        add(known.sum, own, count)
      }
    }
    return [...sums.values()].map(({ line, sum }) => lineOf(line, sum, account, exchangeNamed, by))
  }
  function* byHour(): Generator<Line, void> {
    const firsts: number[] = []
    for (const hour of hoursIn(account.window)) yield* linesWithin(hour, firsts, hour.fromUs).sort(inOrder)
  }
  if (by === 'hour') return { [Symbol.iterator]: byHour }
  const lines = linesWithin(account.window, [])
  if (by === undefined) return lines.sort(inOrder)
  return lines.sort((a, b) => b.lostUs - a.lostUs || ((a.about ?? '') < (b.about ?? '') ? -1 : 1))
}

/** As the exchange names its families, each asked once. */
function orderOf(exchangeNamed: Asked): (a: Line, b: Line) => number {
  const known = new Map<string, string[]>()
  return (a, b) => {
    if (a.exchange !== b.exchange) return a.exchange < b.exchange ? -1 : 1
    const names = known.get(a.exchange) ?? exchangeNamed(a.exchange).families.map(({ name }) => name)
    known.set(a.exchange, names)
    return names.indexOf(a.family) - names.indexOf(b.family) || (a.kind < b.kind ? -1 : 1)
  }
}

function lineOf(line: LineOf, sum: Sum, account: Account, exchangeNamed: Asked, by: By | undefined): Line {
  const { wantedUs, lostUs } = sum
  const [cause] = [...sum.causes].sort((a, b) => b[1] - a[1])[0] ?? []
  const family = familyOf(exchangeNamed(line.exchange), line.family)
  const byTime = wantedUs <= sum.claimedUs ? undefined : lostUs === 0 ? 1 : Math.min(ALMOST, 1 - lostUs / wantedUs)
  // A percentage of trades is of trades, as far as all that is missing has numbers.
  const count = account.trades.find(({ exchange }) => exchange === line.exchange)
  const isCounted =
    by === undefined &&
    family.coverage?.counted?.what === 'trades' &&
    sum.unprovenUs === 0 &&
    count &&
    count.recorded > 0
  const byCount =
    isCounted && lostUs > 0 ? Math.min(ALMOST, count.recorded / (count.recorded + count.missing)) : undefined
  return {
    ...line,
    data: by === 'instrument' ? 'all' : (family.coverage?.data ?? line.family),
    channels: sum.channels,
    complete: byCount ?? byTime,
    wantedUs,
    lostUs,
    healedUs: sum.healedUs,
    pendingUs: sum.pendingUs,
    ...(cause !== undefined && { cause }),
  }
}

/** Never rounded up to all where anything is missing. */
const ALMOST = 0.99999

const emptySum = (): Sum => ({
  channels: 0,
  wantedUs: 0,
  lostUs: 0,
  healedUs: 0,
  pendingUs: 0,
  unprovenUs: 0,
  claimedUs: 0,
  causes: new Map(),
})

/** Of one channel. */
function sumOf(spans: readonly StateSpan[]): Sum {
  const sum: Sum = { ...emptySum(), channels: 1 }
  for (const span of spans) {
    if (!isWanted(span)) continue
    const us = span.toUs - span.fromUs
    if (span.state === 'not yet known') {
      sum.pendingUs += us
      continue
    }
    sum.wantedUs += us
    if (span.state === 'recorded' && span.grade === 'claimed') sum.claimedUs += us
    if (span.state === 'healed') sum.healedUs += us
    if (!isLost(span)) continue
    sum.lostUs += us
    if (span.grade !== 'exact') sum.unprovenUs += us
    const { cause = '' } = span
    sum.causes.set(cause, (sum.causes.get(cause) ?? 0) + us)
  }
  return sum
}

function add(to: Sum, one: Sum, times: number): void {
  to.channels += times * one.channels
  to.wantedUs += times * one.wantedUs
  to.lostUs += times * one.lostUs
  to.healedUs += times * one.healedUs
  to.pendingUs += times * one.pendingUs
  to.unprovenUs += times * one.unprovenUs
  to.claimedUs += times * one.claimedUs
  for (const [cause, us] of one.causes) to.causes.set(cause, (to.causes.get(cause) ?? 0) + times * us)
}

/** The parts of spans that lie in a window, where those before `first` do not. */
function spansWithin(spans: readonly StateSpan[], first: number, window: Span): StateSpan[] {
  const inside: StateSpan[] = []
  for (let at = first; at < spans.length; at++) {
    const span = spans[at]
    if (!span || span.fromUs >= window.toUs) break
    for (const { fromUs, toUs } of clip([span], window)) inside.push({ ...span, fromUs, toUs })
  }
  return inside
}

function* hoursIn({ fromUs, toUs }: Span): Generator<Span, void> {
  for (let us = fromUs - (fromUs % HOUR_US); us < toUs; us += HOUR_US)
    yield { fromUs: Math.max(fromUs, us), toUs: Math.min(toUs, us + HOUR_US) }
}
