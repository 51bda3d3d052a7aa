import type { Names } from '../../exchanges/exchange.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import { addTo } from '../../platform/group-by.js'
import { overlap, unionOf, type Span } from '../../platform/spans.js'
import type { ChannelTarget } from './targets.js'

/**
 * Spans of which the exchange's lists of trades were compared with what came, by what was compared: the name of a channel,
 * that of an instrument, or kind and currency. Whatever was found beyond has an entry of its own.
 */
export class Compared {
  readonly #spans = new Map<string, Span[]>()
  readonly #names: Pick<Names, 'partitionOfInstrument'>

  constructor(entries: readonly JournalEntry[], names: Pick<Names, 'partitionOfInstrument'>) {
    this.#names = names
    const found = new Map<string, Span[]>()
    for (const { event, recvUs, detail } of entries) {
      if (event !== 'compared') continue
      const span = { fromUs: detail.from_us ?? recvUs, toUs: detail.to_us ?? recvUs }
      for (const scope of detail.scopes ?? []) addTo(found, scope, span)
    }
    for (const [scope, spans] of found) this.#spans.set(scope, unionOf(spans))
  }

  /** When all of a channel was compared. */
  of({ wire, name, kinds, partitions }: ChannelTarget): readonly Span[] {
    const own = this.#spans.get(wire)
    if (own) return own
    if (name !== undefined) {
      const { kind, currency } = this.#names.partitionOfInstrument(name)
      return unionOf([...(this.#spans.get(name) ?? []), ...(this.#spans.get(`${kind} ${currency}`) ?? [])])
    }
    const [first, ...others] = partitions.map(partition => this.#spans.get(partition) ?? [])
    if (!first || kinds.length === 0) return []
    return others.reduce<readonly Span[]>(overlap, first)
  }
}
