import { addTo } from '../../platform/group-by.js'
import type { JournalSpan } from '../../formats/journal/gap.js'
import { slotOf } from '../../formats/journal/outages.js'
import type { Subscription } from '../../formats/journal/subscriptions.js'
import type { ChannelTarget } from './targets.js'

interface OfHost {
  general: JournalSpan[]
  byInstrument: Map<string, JournalSpan[]>
  byChannel: Map<string, JournalSpan[]>
}

/** Finds what the journal says of a channel without looking at all that it says. */
export class SpanIndex {
  readonly #hosts = new Map<string, OfHost>()
  readonly #ids = new Map<JournalSpan, number>()

  constructor(spans: readonly JournalSpan[]) {
    for (const span of spans) {
      const { host, instrument, channel } = span
      const own: OfHost = this.#hosts.get(host) ?? { general: [], byInstrument: new Map(), byChannel: new Map() }
      this.#hosts.set(host, own)
      if (channel !== undefined) addTo(own.byChannel, channel, span)
      else if (instrument !== undefined) addTo(own.byInstrument, instrument, span)
      else own.general.push(span)
    }
  }

  idOf(span: JournalSpan): number {
    const id = this.#ids.get(span) ?? this.#ids.size
    this.#ids.set(span, id)
    return id
  }

  /** All that concerns a channel as a whole. */
  of(subscription: Subscription, { family, name }: ChannelTarget): JournalSpan[] {
    const own = this.#hosts.get(subscription.host)
    if (!own) return []
    const about = [
      ...own.general,
      ...(own.byChannel.get(subscription.channel) ?? []),
      ...(name === undefined ? [] : (own.byInstrument.get(name) ?? [])),
    ]
    return about.filter(span => isOfFamily(span, family) && isOfConnection(span, subscription))
  }

  /** What it says of single instruments. */
  *instrumentsOf(host: string, family: string): Generator<[string, JournalSpan[]]> {
    for (const [name, spans] of this.#hosts.get(host)?.byInstrument ?? []) {
      const own = spans.filter(span => isOfFamily(span, family))
      if (own.length > 0) yield [name, own]
    }
  }
}

const isOfFamily = ({ families }: JournalSpan, family: string) => families.length === 0 || families.includes(family)

/** These are about what one connection carried, and no more. */
const OF_A_CONNECTION: ReadonlySet<JournalSpan['kind']> = new Set(['gap', 'outage', 'silent'])

function isOfConnection({ kind, conn, also, fromUs }: JournalSpan, { spans }: Subscription): boolean {
  if (conn === undefined || !OF_A_CONNECTION.has(kind)) return true
  // What another connection carried was not concerned. A journal that does not say who carried it leaves it doubtful.
  const earlier = spans.filter(span => span.fromUs <= fromUs)
  const then = earlier.filter(span => span.toUs >= fromUs)
  // While its own connection was down, that is still the one which was to carry it.
  const carriers = then.length > 0 ? then : earlier
  const slots = [conn, ...also].map(slotOf)
  return carriers.length === 0 || carriers.some(span => slots.includes(slotOf(span.conn)))
}
