import { without } from '../../platform/spans.js'
import { keyOf, type Account, type Channel, type ChannelGroup, type NotOffered, type StateSpan } from './account.js'
import { joined, mergedSpans } from './timeline.js'

/**
 * What two accounts of one window come to, e.g. of two recorders that were to record the same: at each moment what the one
 * that had more says. It does not matter which is named first. Pure.
 */
export function mergeAccounts(one: Account, other: Account): Account {
  const window = {
    fromUs: Math.min(one.window.fromUs, other.window.fromUs),
    toUs: Math.max(one.window.toUs, other.window.toUs),
  }
  const byChannel = new Map<string, { channel: Channel; a?: readonly StateSpan[]; b?: readonly StateSpan[] }>()
  for (const { spans, channels } of one.groups)
    for (const channel of channels) byChannel.set(keyOf(channel), { channel, a: spans })
  for (const { spans, channels } of other.groups)
    for (const channel of channels)
      byChannel.set(keyOf(channel), { ...byChannel.get(keyOf(channel)), channel, b: spans })
  const grouping = new Grouping()
  const known = new Map<string, readonly StateSpan[]>()
  const idOf = new Map<readonly StateSpan[], number>()
  const numberOf = (spans: readonly StateSpan[] | undefined) => {
    if (!spans) return -1
    const id = idOf.get(spans) ?? idOf.size
    idOf.set(spans, id)
    return id
  }
  for (const { channel, a, b } of byChannel.values()) {
    const pair = `${numberOf(a)} ${numberOf(b)}`
    const spans = known.get(pair) ?? filled(mergedSpans(a ?? [], b ?? []), window)
    known.set(pair, spans)
    grouping.add(channel, spans)
  }
  return {
    window,
    groups: grouping.groups(),
    notOffered: onceEach([...one.notOffered, ...other.notOffered]),
    // Numbers of trades are the exchange's: what one has, the other need not have.
    trades: [...one.trades, ...other.trades],
  }
}

/** Over the whole window, with what nobody knew of. */
export function filled(spans: readonly StateSpan[], window: Account['window']): StateSpan[] {
  const holes = without([window], spans).map(span => ({ ...span, ...NOBODY }))
  return joined([...spans, ...holes].sort((a, b) => a.fromUs - b.fromUs))
}

const NOBODY = { state: 'not recording', grade: 'claimed' } as const

export function onceEach(names: readonly NotOffered[]): NotOffered[] {
  const byName = new Map(names.map(one => [`${one.exchange} ${one.name} ${one.reason}`, one]))
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

/** Puts channels together of which the same is known. */
export class Grouping {
  readonly #groups = new Map<string, { spans: readonly StateSpan[]; channels: Channel[] }>()
  readonly #texts = new Map<readonly StateSpan[], string>()

  add(channel: Channel, spans: readonly StateSpan[]): void {
    const key = this.#textOf(spans)
    const group = this.#groups.get(key)
    if (group) group.channels.push(channel)
    else this.#groups.set(key, { spans, channels: [channel] })
  }

  groups(): ChannelGroup[] {
    const groups = [...this.#groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
    const byKey = (a: Channel, b: Channel) => (keyOf(a) < keyOf(b) ? -1 : 1)
    return groups.map(({ spans, channels }) => ({ spans, channels: channels.sort(byKey) }))
  }

  #textOf(spans: readonly StateSpan[]): string {
    const known = this.#texts.get(spans)
    if (known !== undefined) return known
    const text = spans
      .map(({ fromUs, toUs, state, grade, cause = '', proof = '' }) =>
        [fromUs, toUs, state, grade, cause, proof].join('\t'),
      )
      .join('\n')
    this.#texts.set(spans, text)
    return text
  }
}
