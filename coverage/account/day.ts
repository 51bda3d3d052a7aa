import type { Exchange } from '../../exchanges/exchange.js'
import { lengthUs, unionOf } from '../../platform/spans.js'
import type { Account } from './account.js'
import { tellingOf, type Loss, type Told } from './telling.js'
import { channelsText, healedText, pendingText, sentenceOf, tradesText } from './wording.js'

/** What was collected of one kind of instrument in one hour of a day. */
export interface HourOfKind {
  kind: string
  /** 0 to 23, UTC. */
  hour: number
  channels: number
  /** As complete as the least complete of its data, 0 to 1, and which that is; neither where nothing is known yet. */
  share?: number
  least?: string
}

/** One event that left something missing, for the page. */
export interface EventOfDay {
  fromMs: number
  toMs: number
  seconds: number
  state: string
  cause: string
  whose: string
  families: string[]
}

/** The account of one day as the page and the metrics show it. Times are ms since the epoch. */
export interface CoverageDay {
  date: string
  /** When this was measured. */
  atMs: number
  sentence: string
  isComplete: boolean
  isEmpty: boolean
  missingSeconds: number
  /** All of them in number; the longest follow. */
  count: number
  events: EventOfDay[]
  healed?: string
  pending?: string
  trades?: string
  hours: HourOfKind[]
  /** Events and seconds that concern a family, by exchange and family. */
  families: Record<string, { gaps: number; seconds: number }>
}

const EVENTS_MAX = 200

/** What a day's account comes to. Pure. */
export function dayOfAccount(
  date: string,
  account: Account,
  exchangeNamed: (name: string) => Pick<Exchange, 'families'>,
  atMs: number,
): CoverageDay {
  const told = tellingOf(account, exchangeNamed, 'hour')
  const optional = { healed: healedText(told), pending: pendingText(told), trades: tradesText(told) }
  return {
    ...{ date, atMs, sentence: sentenceOf(told), isComplete: told.isComplete, isEmpty: told.isEmpty },
    missingSeconds: told.lostUs / 1e6,
    count: told.losses.length,
    events: told.losses.slice(0, EVENTS_MAX).map(loss => eventOf(loss, told)),
    ...Object.fromEntries(Object.entries(optional).filter(([, text]) => text !== undefined)),
    hours: hoursOf(told.lines),
    families: familiesOf(told.losses),
  }
}

function eventOf({ fromUs, toUs, lostUs, state, cause, channels }: Loss, told: Told): EventOfDay {
  const families = [...new Set(channels.map(({ family }) => family))]
  const whose = channelsText(channels, told.channels)
  return { fromMs: fromUs / 1000, toMs: toUs / 1000, seconds: lostUs / 1e6, state, cause, whose, families }
}

/** Adds up a report by hour: a kind is no better than the worst of its data. Pure. */
export function hoursOf(
  lines: readonly Pick<Told['lines'][number], 'data' | 'kind' | 'hourUs' | 'channels' | 'complete'>[],
): HourOfKind[] {
  const hours = new Map<string, HourOfKind>()
  for (const { data, kind, hourUs = 0, channels, complete } of lines) {
    const hour = new Date(hourUs / 1000).getUTCHours()
    const sum = hours.get(`${kind} ${hour}`) ?? { kind, hour, channels: 0 }
    hours.set(`${kind} ${hour}`, sum)
    sum.channels += channels
    if (complete === undefined || complete >= (sum.share ?? Infinity)) continue
    sum.share = complete
    sum.least = data
  }
  return [...hours.values()]
}

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
