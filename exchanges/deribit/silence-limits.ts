import { familyOfChannel } from './names.js'

/** What flows all the time while the exchange is open; an option may rest for hours, and so may trades. */
const STEADY: readonly { family: string; channel?: RegExp; ms: number }[] = [
  { family: 'deribit_price_index', channel: /\.(btc|eth)_usd/, ms: 5000 },
  { family: 'deribit_volatility_index', ms: 15_000 },
  { family: 'markprice.options', ms: 15_000 },
  { family: 'perpetual', channel: /\.(BTC|ETH)-PERPETUAL\./, ms: 60_000 },
  { family: 'ticker', channel: /\.(BTC|ETH)-PERPETUAL\./, ms: 30_000 },
  { family: 'quote', channel: /\.(BTC|ETH)-PERPETUAL$/, ms: 60_000 },
  { family: 'book', channel: /\.(BTC|ETH)-PERPETUAL\./, ms: 60_000 },
]

/** Families of which frames must come while these channels are subscribed, and the longest silence of each, ms. */
export function silenceLimits(channels: Iterable<string>): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const channel of channels) {
    const family = familyOfChannel(channel)
    const steady = STEADY.find(each => each.family === family && (each.channel?.test(channel) ?? true))
    if (steady) limits.set(family, steady.ms)
  }
  return limits
}
