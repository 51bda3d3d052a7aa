import { familyOf, type Exchange } from '../../exchanges/exchange.js'
import { groupBy } from '../../platform/group-by.js'
import { lengthUs, unionOf } from '../../platform/spans.js'
import type { Account } from './account.js'
import { summaryOf, type AccountSummary, type Line, type Loss } from './account-summary.js'
import { channelsText, healedText, pendingText, sentenceOf, tradesText } from './wording.js'

/** What was collected of one kind of instrument in one hour of a day. */
export interface HourOfKind {
  exchange: string
  kind: string
  /** 0 to 23, UTC. */
  hour: number
  channels: number
  /** As complete as the least complete of its data, 0 to 1, and which that is; neither where nothing is known yet. */
  share?: number
  least?: string
}

/** One event that left something missing, or that healed, for the page. */
export interface EventOfDay {
  fromMs: number
  toMs: number
  seconds: number
  state: string
  cause: string
  whose: string
  families: string[]
  /** The first of them by name, and how many there are. */
  instruments: string[]
  instrumentCount: number
  /** It goes on to the end of what is known. */
  lasts: boolean
  /** The exchange can be asked for what is missing: it might have healed. */
  couldHeal: boolean
}

/** The account of one day as the page and the metrics show it. Times are ms since the epoch. */
export interface CoverageDay {
  date: string
  /** When this was measured. */
  atMs: number
  sentence: string
  isComplete: boolean
  isEmpty: boolean
  /** When anything was first to be recorded; left out where nothing was. */
  sinceMs?: number
  missingSeconds: number
  /** All of them in number; the longest follow. */
  count: number
  events: EventOfDay[]
  healedCount: number
  healedEvents: EventOfDay[]
  healed?: string
  pending?: string
  trades?: string
  hours: HourOfKind[]
  /** The same of the whole day, as far as anything is known of a kind. */
  kinds: { exchange: string; kind: string; share: number }[]
  /** Events and seconds that concern a family, by exchange and family. */
  families: Record<string, { gaps: number; seconds: number }>
}

const EVENTS_MAX = 200
const HEALED_MAX = 200
const INSTRUMENTS_MAX = 5
/** What ends so near to the end of what is known has not ended, µs. */
const LASTS_US = 2_000_000

type ExchangeNamed = (name: string) => Pick<Exchange, 'families'>

/** What a day's account comes to. Pure. */
export function dayOfAccount(date: string, account: Account, exchangeNamed: ExchangeNamed, atMs: number): CoverageDay {
  const summary = summaryOf(account, exchangeNamed, 'hour')
  const optional = { healed: healedText(summary), pending: pendingText(summary), trades: tradesText(summary) }
  const asEvent = eventsAs(summary, exchangeNamed)
  const [since] = summary.wanted
  const lines = [...summary.lines]
  return {
    ...{ date, atMs, sentence: sentenceOf(summary), isComplete: summary.isComplete, isEmpty: summary.isEmpty },
    missingSeconds: summary.lostUs / 1e6,
    count: summary.losses.length,
    events: summary.losses.slice(0, EVENTS_MAX).map(asEvent),
    healedCount: summary.healed.length,
    healedEvents: summary.healed.slice(0, HEALED_MAX).map(asEvent),
    ...(since && { sinceMs: since.fromUs / 1000 }),
    ...Object.fromEntries(Object.entries(optional).filter(([, text]) => text !== undefined)),
    hours: hoursOf(lines),
    kinds: kindsOf(lines),
    families: familiesOf(summary.losses),
  }
}

const eventsAs =
  (summary: AccountSummary, exchangeNamed: ExchangeNamed) =>
  ({ fromUs, toUs, lostUs, state, cause, channels }: Loss): EventOfDay => {
    const instruments = [...new Set(channels.filter(({ isWhole }) => !isWhole).map(({ about }) => about))]
    const isCounted = (exchange: string, family: string) =>
      familyOf(exchangeNamed(exchange), family).coverage?.counted?.what === 'trades'
    return {
      ...{ fromMs: fromUs / 1000, toMs: toUs / 1000, seconds: lostUs / 1e6, state, cause },
      whose: channelsText(channels, summary.channels),
      families: [...new Set(channels.map(({ family }) => family))],
      instruments: instruments.slice(0, INSTRUMENTS_MAX),
      instrumentCount: instruments.length,
      lasts: toUs >= knownToUs(summary) - LASTS_US,
      couldHeal: channels.some(({ exchange, family }) => isCounted(exchange, family)),
    }
  }

/** The end of what is known: of the last seconds nothing is. */
const knownToUs = ({ pending, window }: AccountSummary) =>
  pending.reduce((us, one) => (one.toUs >= window.toUs ? Math.min(us, one.fromUs) : us), window.toUs)

/** Adds up a report by hour: a kind is no better than the worst of its data. Pure. */
export function hoursOf(
  lines: readonly Pick<Line, 'data' | 'exchange' | 'kind' | 'hourUs' | 'channels' | 'complete'>[],
): HourOfKind[] {
  const hours = new Map<string, HourOfKind>()
  for (const { data, exchange, kind, hourUs = 0, channels, complete } of lines) {
    const hour = new Date(hourUs / 1000).getUTCHours()
    const key = `${exchange} ${kind} ${hour}`
    const sum = hours.get(key) ?? { exchange, kind, hour, channels: 0 }
    hours.set(key, sum)
    sum.channels += channels
    if (complete === undefined || complete >= (sum.share ?? Infinity)) continue
    sum.share = complete
    sum.least = data
  }
  return [...hours.values()]
}

/** A kind is no better than the worst of its data; of that which is only claimed nothing is known. Pure. */
export function kindsOf(
  lines: readonly Pick<Line, 'data' | 'exchange' | 'kind' | 'complete' | 'wantedUs' | 'lostUs'>[],
): CoverageDay['kinds'] {
  const known = lines.filter(({ complete }) => complete !== undefined)
  const ofKinds = [...groupBy(known, ({ exchange, kind }) => `${exchange} ${kind}`).values()]
  return ofKinds.flatMap(ofKind => {
    const [first] = ofKind
    const shares = [...groupBy(ofKind, ({ data }) => data).values()].map(
      same => 1 - sum(same.map(({ lostUs }) => lostUs)) / sum(same.map(({ wantedUs }) => wantedUs)),
    )
    return first ? [{ exchange: first.exchange, kind: first.kind, share: Math.min(...shares) }] : []
  })
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

function familiesOf(losses: readonly Loss[]): CoverageDay['families'] {
  const spans = new Map<string, Loss[]>()
  for (const loss of losses)
    for (const key of new Set(loss.channels.map(({ exchange, family }) => `${exchange} ${family}`)))
      spans.set(key, [...(spans.get(key) ?? []), loss])
  const sums = [...spans].map(
    ([key, own]) => [key, { gaps: own.length, seconds: lengthUs(unionOf(own)) / 1e6 }] as const,
  )
  return Object.fromEntries(sums)
}
