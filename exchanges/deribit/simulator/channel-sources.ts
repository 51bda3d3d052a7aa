import type { Subject } from '../../exchange.js'
import { familyOfChannel, isAbout, subjectOf } from '../names.js'
import { INTERVALS } from './intervals.js'

/** Families whose channels come in intervals, each of which brings the same. */
const IN_INTERVALS: readonly string[] = ['book', 'book_grouped', 'ticker', 'perpetual', 'trades']

/** A recorded channel of trades. */
interface TradesChannel {
  channel: string
  subject: Subject
}

/**
 * Says which recorded channels bring what another one would: the same in another interval, the finest first; trades of an
 * instrument from those of its kind, and those of a kind from those of its instruments.
 */
export function sourcesAmong(recorded: ReadonlySet<string>): (asked: string) => readonly string[] {
  const trades = tradesAmong(recorded)
  return asked => {
    const family = familyOfChannel(asked)
    if (!IN_INTERVALS.includes(family) || !INTERVALS.has(asked.slice(asked.lastIndexOf('.') + 1))) return []
    const same = otherIntervals(asked).find(channel => recorded.has(channel))
    if (same !== undefined) return [same]
    return family === 'trades' ? fromOtherTrades(asked, trades) : []
  }
}

function otherIntervals(channel: string): string[] {
  const body = channel.slice(0, channel.lastIndexOf('.'))
  return [...INTERVALS.keys()].map(interval => `${body}.${interval}`)
}

/** Each by the finest interval of it, those of whole kinds first. */
function tradesAmong(recorded: ReadonlySet<string>): TradesChannel[] {
  const found = [...recorded].flatMap(channel => {
    const subject = familyOfChannel(channel) === 'trades' ? subjectOf(channel) : undefined
    const isFinest = otherIntervals(channel).find(each => recorded.has(each)) === channel
    return subject && isFinest ? [{ channel, subject }] : []
  })
  return found.sort((a, b) => Number(a.subject.name !== undefined) - Number(b.subject.name !== undefined))
}

function fromOtherTrades(asked: string, recorded: readonly TradesChannel[]): string[] {
  const subject = subjectOf(asked)
  if (!subject) return []
  const whole = recorded.find(each => covers(each.subject, subject))
  if (whole) return [whole.channel]
  const parts: TradesChannel[] = []
  for (const each of recorded) {
    const isBrought = parts.some(part => covers(part.subject, each.subject))
    if (covers(subject, each.subject) && !isBrought) parts.push(each)
  }
  return parts.map(({ channel }) => channel)
}

/** Whether all that one channel is about is in what another one is about. */
function covers(outer: Subject, inner: Subject): boolean {
  if (inner.name !== undefined) return isAbout(outer, inner.name)
  return (
    outer.name === undefined &&
    inner.kinds.every(kind => outer.kinds.includes(kind)) &&
    (outer.whose === undefined || outer.whose === inner.whose)
  )
}
