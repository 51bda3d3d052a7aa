import type { ChannelPlan } from '../adapter.js'
import type { BybitConfig, ChannelFamily } from './config.js'
import { familyNamed } from './families.js'
import type { Instrument } from './instruments.js'
import { channelOf, familyOfChannel, type Category } from './names.js'

/** How much quieter the other kinds are. */
const ACTIVITY: Record<Instrument['kind'], number> = { perpetual: 1, future: 0.1, option: 0.02, spot: 0.4 }
const FACTOR_OF_DEPTH: Readonly<Record<number, number>> = { 50: 4, 200: 2, 1000: 1, 25: 2, 100: 1 }
/** Channels about the exchange as a whole, most of them by settlement. */
const OF_EXCHANGE: Readonly<Record<string, readonly string[]>> = {
  insurance: ['insurance.USDT', 'insurance.USDC', 'insurance.inverse'],
  adl_alert: ['adlAlert.USDT', 'adlAlert.USDC', 'adlAlert.inverse'],
  status: ['system.status'],
  rfq_trades: ['rfq.open.public.trades'],
}

/** What to subscribe for these instruments by this config. Pure: the same instruments give the same plan. */
export function planChannels(chosen: readonly Instrument[], config: BybitConfig): ChannelPlan {
  const plan = new Map<string, number>()
  for (const instrument of chosen) {
    const families: readonly ChannelFamily[] = config.channels[instrument.kind]
    for (const family of families) {
      const weight = (familyNamed(family)?.framesPerSecond ?? 0) * ACTIVITY[instrument.kind]
      for (const topic of topicsOf(family, instrument, config)) {
        const channel = channelOf(instrument.category, topic)
        const depth = family === 'book' ? (FACTOR_OF_DEPTH[depthOf(instrument.category, config)] ?? 1) : 1
        plan.set(channel, (plan.get(channel) ?? 0) + weight * depth)
      }
    }
  }
  if (chosen.length === 0) return plan
  for (const family of config.channels.exchange)
    for (const topic of OF_EXCHANGE[family] ?? [])
      plan.set(topic, familyNamed(familyOfChannel(topic))?.framesPerSecond ?? 0)
  return plan
}

const depthOf = (category: Category, { depth, optionDepth }: BybitConfig) =>
  category === 'option' ? optionDepth : depth

function topicsOf(family: ChannelFamily, { category, symbol }: Instrument, config: BybitConfig): string[] {
  switch (family) {
    case 'trades':
      // Of options one topic brings the trades of a whole coin.
      return [`publicTrade.${category === 'option' ? (symbol.split('-')[0] ?? symbol) : symbol}`]
    case 'book':
      return [`orderbook.${depthOf(category, config)}.${symbol}`]
    case 'quote':
      return [`orderbook.1.${symbol}`]
    case 'book_full':
      return [`orderbook.full.${symbol}`]
    case 'book_rpi':
      return [`orderbook.rpi.${symbol}`]
    case 'ticker':
      return [`tickers.${symbol}`]
    case 'candles':
      return config.candleResolutions.map(resolution => `kline.${resolution}.${symbol}`)
    case 'liquidations':
      return [`allLiquidation.${symbol}`]
    case 'price_limit':
      return [`priceLimit.${symbol}`]
  }
}
