import { groupBy } from '../../platform/group-by.js'
import { without } from '../../platform/spans.js'
import type { JournalSpan } from './gap.js'
import { slotOf } from './outages.js'

/** What was found missing later was not covered. Pure. */
export function stillCovered(spans: readonly JournalSpan[]): JournalSpan[] {
  const missing = spans.filter(
    ({ kind, channel }) => TAKES_ITS_PLACE.has(kind) && !(kind === 'silent' && channel !== undefined),
  )
  return spans.flatMap(span => (span.kind === 'covered' ? leftOf(span, missing) : [span]))
}

/** In these all of the span is missing, for whatever they are about. */
const TAKES_ITS_PLACE: ReadonlySet<JournalSpan['kind']> = new Set([
  'gap',
  'outage',
  'not recording',
  'lost',
  'silent',
  'book_break',
])

function leftOf(cover: JournalSpan, missing: readonly JournalSpan[]): JournalSpan[] {
  const { host, conn = '', families, fromUs } = cover
  const toUs = cover.toUs ?? Infinity
  const own = missing.flatMap(gap => {
    const bounds = { fromUs: gap.fromUs, toUs: gap.toUs ?? Infinity }
    const slots = [gap.conn ?? '', ...gap.also].map(slotOf)
    const isWithin = gap.host === host && bounds.fromUs < toUs && bounds.toUs > fromUs && slots.includes(slotOf(conn))
    return isWithin ? [{ ...bounds, families: gap.families }] : []
  })
  if (own.length === 0) return [cover]
  const left = families.flatMap(family =>
    without(
      [{ fromUs, toUs }],
      own.filter(gap => gap.families.includes(family)),
    ).map(span => ({ ...span, family })),
  )
  return [...groupBy(left, span => `${span.fromUs} ${span.toUs}`).values()].flatMap(group => {
    const [first] = group
    if (!first) return []
    return [{ ...cover, fromUs: first.fromUs, toUs: first.toUs, families: group.map(({ family }) => family) }]
  })
}
