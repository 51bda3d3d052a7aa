import { targetOf, type ChannelTarget } from './channel-target.js'
import { groupBy } from '../platform/group-by.js'
import { concerns, isWhole, type Interval } from './intervals.js'
import { clip, unionOf, without, type Span } from '../platform/spans.js'
import type { Subscription } from '../formats/journal/subscriptions.js'

/** A channel as it was wanted and had, over all recorders. */
export interface Promised {
  target: ChannelTarget
  subscriptions: readonly Subscription[]
  wanted: readonly Span[]
  /** When it came without a gap. */
  good: readonly Span[]
}

/** What was to come in the window, channel by channel, and when it did. Pure. */
export function promisedOf(
  subscriptions: readonly Subscription[],
  intervals: readonly Interval[],
  window: Span,
): Promised[] {
  const whole = intervals.filter(isWhole)
  return [...groupBy(subscriptions, ({ channel }) => channel)].flatMap(([channel, own]) => {
    const target = targetOf(channel)
    const wanted = clip(unionOf(own.flatMap(({ wanted }) => wanted)), window)
    if (!target || wanted.length === 0) return []
    const good = own.flatMap(subscription =>
      without(
        clip(subscription.spans, window),
        whole.filter(interval => concerns(interval, target, subscription)),
      ),
    )
    return [{ target, subscriptions: own, wanted, good: unionOf(good) }]
  })
}
