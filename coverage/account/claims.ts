import { familyOf, type Exchange } from '../../exchanges/exchange.js'
import { unionOf, type Span } from '../../platform/spans.js'
import type { Channel, StateSpan } from './account.js'
import { kindShown, kindsShown } from './targets.js'
import { Timeline } from './timeline.js'

/** What a file alone says, where there is no journal of its recorder: from when to when it has something of a family and kind. */
export interface Claim extends Span {
  host: string
  family: string
  /** As folders say, where they do. */
  kind: string | undefined
  currency: string | undefined
}

/** Files of a recording follow one upon the other: what lies between two is no pause while it is shorter than a file. */
const FILE_US = 3_600_000_000

/** What claims come to, kind by kind: nothing says what was subscribed, nor whether anything was missed. Pure. */
export function* claimed(
  exchange: Pick<Exchange, 'name' | 'families'>,
  claims: readonly Claim[],
  window: Span,
): Generator<{ channel: Channel; spans: readonly StateSpan[] }, void> {
  const byChannel = new Map<string, { channel: Channel; own: Span[] }>()
  for (const claim of claims) {
    if (familyOf(exchange, claim.family).comes === 'own' || claim.toUs <= window.fromUs || claim.fromUs >= window.toUs)
      continue
    const channel = channelOf(exchange.name, claim)
    const key = `${channel.family} ${channel.about}`
    const known = byChannel.get(key) ?? { channel, own: [] }
    known.own.push(claim)
    byChannel.set(key, known)
  }
  for (const { channel, own } of byChannel.values()) {
    const line = new Timeline(window, { state: 'not recording', grade: 'claimed' })
    line.paint(withoutPauses(own), { state: 'recorded', grade: 'claimed' })
    yield { channel, spans: line.within(window) }
  }
}

function channelOf(exchange: string, { family, kind: folder, currency }: Claim): Channel {
  const kinds = kindsShown([folder ?? 'none'])
  const whose = [currency, ...kinds].filter(text => text !== undefined && text !== 'none').join(' ')
  const stored = { kind: folder, currency }
  return {
    exchange,
    family,
    kind: kindShown(folder ?? 'none'),
    about: whose === '' ? 'all' : `all ${whose}s`,
    isWhole: true,
    stored,
  }
}

const withoutPauses = (spans: readonly Span[]) =>
  unionOf(spans.map(({ fromUs, toUs }) => ({ fromUs, toUs: toUs + FILE_US }))).map(({ fromUs, toUs }) => ({
    fromUs,
    toUs: toUs - FILE_US,
  }))
