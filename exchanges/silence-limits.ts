import { familyOf, type Exchange } from './exchange.js'

/** Families of which frames must come while these channels are subscribed, and the longest silence of each, ms. */
export function silenceLimits(
  exchange: Pick<Exchange, 'families' | 'names'>,
  channels: Iterable<string>,
): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const channel of channels) {
    const family = exchange.names.familyOfChannel(channel)
    const { silence } = familyOf(exchange, family)
    if (silence && (silence.channels?.test(channel) ?? true)) limits.set(family, silence.ms)
  }
  return limits
}

/** Whether frames of a channel come all the time: a family names some that do. */
export function neverRests({ families, names }: Pick<Exchange, 'families' | 'names'>, channel: string): boolean {
  return familyOf({ families }, names.familyOfChannel(channel)).silence?.channels?.test(channel) === true
}
