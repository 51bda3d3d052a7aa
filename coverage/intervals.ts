import { parseSegmentPath, withState } from '../formats/raw-path.js'
import type { Gap, JournalEntry } from '../formats/journal/gap.js'
import { gapsOf } from '../formats/journal/gaps.js'
import { slotOf } from '../formats/journal/outages.js'
import { familyOfChannel, targetOf, type ChannelTarget } from './channel-target.js'
import { groupBy } from './group-by.js'
import { without, type Span } from '../platform/spans.js'
import type { Subscription } from './subscriptions.js'

/** A span in which something was not as it should be. A span of no length is a moment. */
export interface Interval extends Span {
  gap:
    | Exclude<Gap['kind'], 'not recording'>
    | 'not_recording'
    | 'covered'
    | 'paused'
    | 'clock_step'
    | 'rejected'
    | 'not_subscribed'
    | 'unreadable'
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
  'not_converted',
])

/** These are about what one connection carried, and no more. */
const OF_A_CONNECTION: ReadonlySet<Interval['gap']> = new Set(['gap', 'outage', 'silent'])

/** True where nothing of the span is there. */
export const isWhole = ({ gap, filled }: Interval) => filled === false && WHOLE.has(gap)

/** All that the journal says of spans in which something was wrong, in the order of their begin. Pure. */
export function intervalsOf(entries: readonly JournalEntry[], subscriptions: readonly Subscription[]): Interval[] {
  const gaps = gapsOf(entries).map(ofGap)
  const told = [...gaps, ...entries.flatMap(ofEntry).flatMap(one => stillCovered(one, gaps)), ...pausesOf(entries)]
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

function ofGap({ kind, toUs, families, healed, host, conn, also, instrument, cause, fromUs }: Gap): Interval {
  const gap = kind === 'not recording' ? 'not_recording' : kind
  // A book that is known again is still without the changes of the break; trades that were fetched are there.
  const filled = gap === 'trade_hole' ? healed === true : false
  const lasts = toUs ?? Infinity
  return {
    gap,
    fromUs,
    toUs: lasts,
    host,
    conn,
    ...(also && { also }),
    cause,
    families,
    channels: undefined,
    instrument,
    filled,
    count: undefined,
  }
}

const nothingElse = { conn: undefined, channels: undefined, instrument: undefined, count: undefined } as const

function ofEntry({ host, recvUs, event, detail }: JournalEntry): Interval[] {
  if (event === 'covered') {
    const [fromUs, toUs] = [Number(detail['from_us']), Number(detail['to_us'])]
    const [families, watched] = [textsOf(detail['families']), textsOf(detail['watched'])]
    const proof = watched.length === 0 ? '' : ` (without a frame to prove it: ${watched.join(', ')})`
    const why = typeof detail['cause'] === 'string' ? detail['cause'] : 'connection lost'
    const cause = `${why}; ${String(detail['by'])} carried the same${proof}`
    return [
      {
        ...nothingElse,
        gap: 'covered',
        fromUs,
        toUs,
        host,
        conn: String(detail['conn']),
        cause,
        families,
        filled: true,
      },
    ]
  }
  if (event === 'clock_step') {
    const stepUs = Number(detail['step_us'])
    const cause = `the clock was set ${stepUs < 0 ? 'back' : 'forward'} by ${Math.abs(stepUs) / 1e6} s`
    // Forward: no stamp lies in the span. Back: stamps in it come twice.
    const fromUs = recvUs - Math.max(0, stepUs)
    const toUs = recvUs + Math.max(0, -stepUs)
    return [{ ...nothingElse, gap: 'clock_step', fromUs, toUs, host, cause, families: [], filled: undefined }]
  }
  const segment = event === 'segment_unreadable' ? segmentOf(String(detail['path'])) : undefined
  if (!segment) return []
  const fromUs = segment.startedMs * 1000
  const toUs = Math.min(recvUs, (Math.floor(segment.startedMs / HOUR_MS) + 1) * HOUR_MS * 1000)
  const cause = 'a segment held nothing that can be read'
  // Whose it was: not always the recorder that tells of it.
  return [
    {
      ...{ ...nothingElse, gap: 'unreadable', fromUs, toUs, host: segment.host, cause },
      ...{ families: [segment.channel], filled: false },
    },
  ]
}

/** What was found missing later was not covered. */
function stillCovered(interval: Interval, gaps: readonly Interval[]): Interval[] {
  if (interval.gap !== 'covered') return [interval]
  const { host, conn = '', families, fromUs, toUs } = interval
  const missing = gaps.filter(
    gap =>
      gap.host === host &&
      isWhole(gap) &&
      gap.fromUs < toUs &&
      gap.toUs > fromUs &&
      [gap.conn ?? '', ...(gap.also ?? [])].map(slotOf).includes(slotOf(conn)),
  )
  if (missing.length === 0) return [interval]
  const left = families.flatMap(family => {
    const own = missing.filter(gap => gap.families.includes(family))
    return without([interval], own).map(span => ({ ...span, family }))
  })
  return [...groupBy(left, span => `${span.fromUs} ${span.toUs}`).values()].flatMap(group => {
    const [first] = group
    if (!first) return []
    return [{ ...interval, fromUs: first.fromUs, toUs: first.toUs, families: group.map(({ family }) => family) }]
  })
}

const HOUR_MS = 3_600_000

const textsOf = (value: unknown) => (Array.isArray(value) ? value.map(String) : [])

function segmentOf(path: string) {
  return parseSegmentPath(withState(path, 'sealed'))?.name
}

/** Frames waited in the kernel and came late; what the exchange gave up on has a gap of its own. */
function pausesOf(entries: readonly JournalEntry[]): Interval[] {
  const pauses: Interval[] = []
  const open = new Map<string, Interval>()
  const cause = 'the disk was too slow, and reading stopped meanwhile'
  for (const { host, recvUs, event } of entries) {
    const pause = open.get(host)
    if (event === 'paused' && !pause) {
      const begun: Interval = {
        ...nothingElse,
        gap: 'paused',
        fromUs: recvUs,
        toUs: Infinity,
        host,
        cause,
        families: [],
        filled: true,
      }
      open.set(host, begun)
      pauses.push(begun)
    } else if (pause && (event === 'resumed' || event === 'started' || event === 'stopped')) {
      pause.toUs = recvUs
      open.delete(host)
    }
  }
  return pauses
}

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
