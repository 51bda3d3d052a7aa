import type { JournalEntry } from '../formats/journal/entry.js'
import type { ToldSpan } from '../formats/journal/gap.js'
import { spansOf } from '../formats/journal/gaps.js'
import { slotOf } from '../formats/journal/outages.js'
import { familyOfChannel, targetOf, type ChannelTarget } from './channel-target.js'
import { groupBy } from '../platform/group-by.js'
import { without, type Span } from '../platform/spans.js'
import type { Subscription } from '../formats/journal/subscriptions.js'

/** A span in which something was not as it should be. A span of no length is a moment. */
export interface Interval extends Span {
  gap:
    | Exclude<ToldSpan['kind'], 'not recording'>
    | 'not_recording'
    | 'rejected'
    | 'not_subscribed'
    | 'quarantine'
    | 'not_converted'
  host: string
  /** Only what this connection carried. */
  conn: string | undefined
  /** And what these carried, which were to bring the same. */
  also?: readonly string[]
  cause: string
  /** Empty: all. */
  families: readonly string[]
  /** Only these; undefined: all of the families. */
  channels: ReadonlySet<string> | undefined
  instrument: string | undefined
  /** True: all of it is here after all. False: it is missing. Undefined: nothing is known to be missing. */
  filled: boolean | undefined
  /** Frames or trades concerned, where they were counted. */
  count: number | undefined
}

/** In these the whole span is missing, for whatever they are about; the others are counted. */
const WHOLE: ReadonlySet<Interval['gap']> = new Set([
  'gap',
  'outage',
  'not_recording',
  'lost',
  'silent',
  'book_break',
  'rejected',
  'not_subscribed',
  'unreadable',
  'not_whole',
  'not_converted',
])

/** These are about what one connection carried, and no more. */
const OF_A_CONNECTION: ReadonlySet<Interval['gap']> = new Set(['gap', 'outage', 'silent'])

/** True where nothing of the span is there. */
export const isWhole = ({ gap, filled }: Interval) => filled === false && WHOLE.has(gap)

/** All that the journal says of spans in which something was wrong, in the order of their begin. Pure. */
export function intervalsOf(entries: readonly JournalEntry[], subscriptions: readonly Subscription[]): Interval[] {
  const told = spansOf(entries).map(ofTold)
  const refused = subscriptions.flatMap(refusedOf)
  const intervals = [...told, ...grouped(refused)]
  return [...intervals, ...grouped(silentlyMissing(intervals, subscriptions))].sort((a, b) => a.fromUs - b.fromUs)
}

/** Whether it concerns a channel, which may be of one instrument or of many. */
export function concerns(interval: Interval, target: ChannelTarget, subscription: Subscription): boolean {
  const { host, families, channels, instrument, conn, also = [], fromUs } = interval
  if (host !== subscription.host) return false
  if (families.length > 0 && !families.includes(target.family)) return false
  if (instrument !== undefined && target.name !== undefined && instrument !== target.name) return false
  if (channels && !channels.has(subscription.channel)) return false
  if (conn === undefined || !OF_A_CONNECTION.has(interval.gap)) return true
  // What another connection carried was not concerned. A journal that does not say who carried it leaves it doubtful.
  const before = subscription.spans.filter(span => span.fromUs <= fromUs && span.toUs >= fromUs)
  const slots = [conn, ...also].map(slotOf)
  return before.length === 0 || before.some(span => slots.includes(slotOf(span.conn)))
}

function ofTold({ kind, toUs, healed, families, host, conn, also, instrument, cause, fromUs }: ToldSpan): Interval {
  return {
    gap: kind === 'not recording' ? 'not_recording' : kind,
    fromUs,
    toUs: toUs ?? Infinity,
    host,
    conn,
    ...(also.length > 0 && { also }),
    cause,
    families,
    channels: undefined,
    instrument,
    filled: isFilled(kind, healed),
    count: undefined,
  }
}

function isFilled(kind: ToldSpan['kind'], healed: boolean | undefined): boolean | undefined {
  switch (kind) {
    case 'covered':
    case 'paused':
      return true
    case 'standstill':
    case 'clock_step':
      return undefined
    case 'trade_hole':
      return healed === true
    // A book that is known again is still without the changes of the break.
    default:
      return false
  }
}

const nothingElse = { conn: undefined, instrument: undefined, count: undefined } as const

interface ChannelGap extends Span {
  gap: 'rejected' | 'not_subscribed'
  host: string
  channel: string
}

function refusedOf({ host, channel, rejected }: Subscription): ChannelGap[] {
  return rejected.map(span => ({ ...span, gap: 'rejected', host, channel }))
}

/** Time in which a channel was wanted and not subscribed, and of which no entry tells. */
function silentlyMissing(told: readonly Interval[], subscriptions: readonly Subscription[]): ChannelGap[] {
  const byHost = groupBy(told.filter(isWhole), ({ host }) => host)
  return subscriptions.flatMap(subscription => {
    const { host, channel, spans, wanted } = subscription
    const target = targetOf(channel) ?? { family: familyOfChannel(channel), kinds: [], name: undefined }
    const off = without(wanted, spans)
    if (off.length === 0) return []
    const known = (byHost.get(host) ?? []).filter(interval => concerns(interval, target, subscription))
    return without(off, known).map(span => ({ ...span, gap: 'not_subscribed', host, channel }))
  })
}

const CAUSES = {
  rejected: 'the exchange refused the subscription',
  not_subscribed: 'wanted, and not subscribed',
} as const

/** One interval for all channels that have the same. */
function grouped(gaps: readonly ChannelGap[]): Interval[] {
  const groups = groupBy(gaps, ({ gap, host, fromUs, toUs }) => `${gap} ${host} ${fromUs} ${toUs}`)
  return [...groups.values()].flatMap(group => {
    const [first] = group
    if (!first) return []
    const { gap, host, fromUs, toUs } = first
    const channels = new Set(group.map(({ channel }) => channel))
    return [{ ...nothingElse, gap, fromUs, toUs, host, cause: CAUSES[gap], families: [], channels, filled: false }]
  })
}
